import { readFile } from "node:fs/promises";
import type { z } from "zod";
import { showUntrusted } from "../files/show-untrusted.ts";
import { reasonOf } from "../files/system-error.ts";
import { UserError } from "../errors.ts";
import { csvRecords } from "../tasks/csv-records.ts";

/**
 * Reads a CSV file with a header whose records have different ids. The first fault is a UserError that names file and
 * line.
 */
export async function readCsv<T extends { readonly id: string }>(path: string, schema: z.ZodType<T>): Promise<T[]> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new UserError(`cannot read ${path}: ${reasonOf(cause)}`, { cause });
  });
  const seen = new Set<string>();
  const parsed = csvRecords(path, bytes).map(({ where, values }) => {
    const { data, error } = schema.safeParse(values);
    const [issue] = error?.issues ?? [];
    if (!data) throw new UserError(`${where}: ${issue?.path.join(".")}: ${issue?.message}`);
    if (seen.has(data.id))
      throw new UserError(`${where}: expected every id once, found ${showUntrusted(data.id)} again`);
    seen.add(data.id);
    return data;
  });
  if (parsed.length === 0) throw new UserError(`${path}: expected a header and at least one row, found no rows`);
  return parsed;
}
