import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Journal, readJournal } from "../../src/journal/journal.ts";
import { mountOn } from "../mounted.ts";
import { temporaryFolder } from "../temporary-folder.ts";

function tensors(count: number): Record<string, string> {
  const line = `bf16 [2] ${"a1".repeat(32)}`;
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`model.layers.${i}.w`, line] as const));
}

test("a record that the disk has no room for is told in a sentence, and those before it are gone on with", async ({
  skip,
}) => {
  const disk = await temporaryFolder();
  mountOn(disk, skip, ["-t", "tmpfs", "-o", "size=256k", "tmpfs"]);
  const folder = join(disk, "run");
  const start = { experiment: { name: "demo" }, identity: {}, versions: {} };
  {
    using journal = Journal.create(folder, start);
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(join(disk, "filler"), Buffer.alloc((bavail - 1) * bsize));
    expect(() => journal.append({ type: "parents", tensors: { base: tensors(100) } })).toThrow(
      `${join(folder, "journal.jsonl")}: no space left on device (0 bytes are free); make room there and try again; what was recorded before is kept, and resuming the run goes on from there`,
    );
    expect(() => journal.append({ type: "parents", tensors: { base: tensors(1) } })).toThrow("closed");
  }
  rmSync(join(disk, "filler"));
  {
    using journal = Journal.open(folder);
    expect(journal.records.map(({ type }) => type)).toEqual(["start"]);
    journal.append({ type: "parents", tensors: { base: tensors(100) } });
  }
  expect(readJournal(folder).records).toHaveLength(2);
});
