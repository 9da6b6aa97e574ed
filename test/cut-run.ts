import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A copy of a run as it was when so many records were written. */
export function cutAfter(run: string, records: number, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const lines = readFileSync(join(run, "journal.jsonl"), "utf8").trimEnd().split("\n");
  const kept = lines.slice(0, records).map((line) => `${line}\n`);
  writeFileSync(join(folder, "journal.jsonl"), kept.join(""));
  copyFileSync(join(run, "numbers.bin"), join(folder, "numbers.bin"));
  return folder;
}
