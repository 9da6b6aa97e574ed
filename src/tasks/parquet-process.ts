/** The process in which a parquet file is decoded: what it expands to may outgrow the heap, which ends a process. */
import { UserError } from "../errors.ts";
import { readFileWithin } from "../files/read-file.ts";
import type { ParquetAnswer, ParquetRequest } from "./parquet-records.ts";
import { parquetTable } from "./parquet-table.ts";

async function answer({ path, file, columns }: ParquetRequest): Promise<ParquetAnswer> {
  try {
    return { table: await parquetTable(path, await readFileWithin(path, file), new Set(columns)) };
  } catch (error) {
    if (error instanceof UserError) return { refusal: error.message };
    throw error;
  }
}

process.on("disconnect", () => process.exit());
// A terminal interrupts both processes; it is for the parent to decide what ends.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
process.once("message", (request: ParquetRequest) => {
  void answer(request).then((found) => process.send?.(found));
});
process.send?.("ready");
