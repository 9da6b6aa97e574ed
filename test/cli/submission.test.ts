import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeSubmissionCommand } from "../../src/cli/commands/submission.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { evomerge, type Ended } from "./evomerge.ts";

const news = join(import.meta.dirname, "..", "..", "experiments", "demo", "news");

test("submission write looks at its target before it reads a model", async () => {
  const folder = await temporaryFolder();
  const [rows, to] = [join(folder, "test.csv"), join(folder, "pipe")];
  await writeFile(rows, `id,input,answer_choices,eval_type\n0,Which?,"['a', 'b']",multiple_choice\n`);
  execFileSync("mkfifo", [to]);
  const writing = writeSubmissionCommand(join(folder, "no-model"), { rows, to });
  await expect(writing).rejects.toThrow(`cannot write ${to}: it is not a regular file; choose another name`);
});

test("submission write keeps the texts that it has where it fails, and goes on with them", async () => {
  const folder = await temporaryFolder();
  const fox = "f,The fox,None,generation\nw,Who,None,generation\n";
  const rows = `id,input,answer_choices,eval_type\nq,Which?,"['a', 'b']",multiple_choice\n${fox}`;
  await writeFile(join(folder, "test.csv"), rows);
  await writeFile(join(folder, "some.csv"), "id,prediction,dummy_field\nw,five,0\n");
  const options = ["--rows", "test.csv", "--to", "to.csv", "--engine", "ggml", "--max-new-tokens", "8"];
  const write = (model: string, generated: string): Promise<Ended> =>
    evomerge(folder, ["submission", "write", model, "--generated", generated, ...options]);
  const failed = await write("nowhere", "some.csv");
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain(
    "to.csv is not written: 1 of 2 texts are missing; those that are there are in to.partial.csv: the same command with --generated to.partial.csv goes on\n",
  );
  const { code, stdout } = await write(news, "to.partial.csv");
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("wrote to.csv") });
  expect(await readFile(join(folder, "to.csv"), "utf8")).toMatch(
    /^id,prediction,dummy_field\nq,[01],0\nf, city of Yuri [^\n]*,0\nw,five,0\n$/,
  );
});
