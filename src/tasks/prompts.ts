import { z } from "zod";
import { UserError } from "../errors.ts";
import { readTaskRecords } from "./read-records.ts";
import { MAX_ROWS, tooManyRows } from "./row-record.ts";

const promptRow = z.object({ input: z.string("expected a text") });

/** A text that is to go on, and where it stands. */
export interface PlacedPrompt {
  readonly text: string;
  readonly where: string;
}

/**
 * The `input` of each row of a file, whatever else it has: JSON lines, CSV or parquet. The first fault is a UserError that
 * names the file and the line or row.
 */
export async function readPrompts(path: string, signal?: AbortSignal): Promise<PlacedPrompt[]> {
  const prompts: PlacedPrompt[] = [];
  for await (const { where, values } of await readTaskRecords(path, new Set(["input"]), signal)) {
    if (prompts.length === MAX_ROWS) throw tooManyRows(path);
    const { data, error } = promptRow.safeParse(values);
    if (!data) throw new UserError(`${where}: input: ${error.issues[0]?.message}`);
    prompts.push({ text: data.input, where });
  }
  if (prompts.length === 0) throw new UserError(`${path}: expected rows with an input, found none`);
  return prompts;
}
