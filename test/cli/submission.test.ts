import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeSubmissionCommand } from "../../src/cli/commands/submission.ts";
import { temporaryFolder } from "../temporary-folder.ts";

test("submission write looks at its target before it reads a model", async () => {
  const folder = await temporaryFolder();
  const [rows, to] = [join(folder, "test.csv"), join(folder, "pipe")];
  await writeFile(rows, `id,input,answer_choices,eval_type\n0,Which?,"['a', 'b']",multiple_choice\n`);
  execFileSync("mkfifo", [to]);
  const writing = writeSubmissionCommand(join(folder, "no-model"), { rows, to });
  await expect(writing).rejects.toThrow(`cannot write ${to}: it is not a regular file; choose another name`);
});
