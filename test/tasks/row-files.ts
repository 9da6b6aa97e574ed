import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect } from "vitest";
import { readRows, type TaskRow } from "../../src/tasks/rows.ts";
import { temporaryFolder } from "../temporary-folder.ts";

export async function read(name: string, content: string | Uint8Array): Promise<TaskRow[]> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, content);
  return readRows(path);
}

export async function fault(name: string, content: string | Uint8Array): Promise<string> {
  const error: unknown = await read(name, content).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: "UserError" });
  return (error as Error).message.replace(/^.*\//, "");
}

export function parquet(columns: Record<string, string[]>, rowGroupSize = 2): Uint8Array {
  const columnData = Object.entries(columns).map(([name, data]) => ({ name, data, type: "STRING" as const }));
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize }));
}

/** A small file in which the levels of three values are a run of 2^30. */
export function endlessRun(): Buffer {
  const input = { name: "input", data: ["a", null, "b"], type: "STRING" as const };
  const bytes = Buffer.from(parquetWriteBuffer({ columnData: [input], codec: "UNCOMPRESSED" }));
  const levels = bytes.indexOf(Buffer.from([0x03, 0b101, 1, 0, 0, 0]));
  bytes.set([0x80, 0x80, 0x80, 0x80, 0x08, 0x01], levels);
  return bytes;
}
