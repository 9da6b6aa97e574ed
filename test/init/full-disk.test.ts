import { existsSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeDraft } from "../../src/init/write-draft.ts";
import { mountOn } from "../mounted.ts";
import { refusal } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";

test("an experiment that the disk has no room for leaves nothing in the way of another try", async ({ skip }) => {
  const disk = await temporaryFolder();
  mountOn(disk, skip, ["-t", "tmpfs", "-o", "size=64k", "tmpfs"]);
  const file = join(disk, "experiment.yaml");
  const rows = join(await temporaryFolder(), "quiz.jsonl");
  writeFileSync(rows, "");
  const draft = {
    base: "org/base",
    experts: new Map([["one", "org/one"]]),
    space: "adapters",
    tasks: new Map([["quiz", { rows: [rows] }]]),
    budget: "1h",
  };
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(join(disk, "filler"), Buffer.alloc(bavail * bsize));
  expect(await refusal(writeDraft(file, draft))).toBe(
    `${file}: no space left on device (0 bytes are free); make room there and try again`,
  );
  expect(existsSync(file)).toBe(false);
  rmSync(join(disk, "filler"));
  expect((await writeDraft(file, draft)).base).toBe("org/base");
});
