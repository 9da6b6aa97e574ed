import type { z } from "zod";
import { showUntrusted } from "../files/show-untrusted.ts";
import { readFileWithin } from "../files/read-file.ts";
import { UserError } from "../errors.ts";
import { csvRecords } from "../tasks/csv-records.ts";

/** The competition's own files have a few megabytes. */
const MAX_BYTES = 2 ** 28;

/**
 * Reads a CSV file with a header whose records have different ids. The first fault is a UserError that names file and
 * line.
 */
export async function readCsv<T extends { readonly id: string }>(
  path: string,
  schema: z.ZodType<T>,
  signal?: AbortSignal,
): Promise<T[]> {
  const bytes = await readFileWithin(path, { what: "a CSV file with a header", maxBytes: MAX_BYTES });
  const seen = new Set<string>();
  const parsed: T[] = [];
  for await (const { where, values } of csvRecords(path, bytes, signal)) {
    const { data, error } = schema.safeParse(values);
    const [issue] = error?.issues ?? [];
    if (!data) throw new UserError(`${where}: ${issue?.path.join(".")}: ${issue?.message}`);
    if (seen.has(data.id))
      throw new UserError(`${where}: expected every id once, found ${showUntrusted(data.id)} again`);
    seen.add(data.id);
    parsed.push(data);
  }
  if (parsed.length === 0) throw new UserError(`${path}: expected a header and at least one row, found no rows`);
  return parsed;
}
