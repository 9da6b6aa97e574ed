/** The process in which a parquet file is decoded: what it expands to may outgrow the heap, which ends a process. */
import { UserError } from "../errors.ts";
import { endWithParent } from "../files/end-with-parent.ts";
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

await endWithParent();
process.once("message", (request: ParquetRequest) => {
  void answer(request).then((found) => process.send?.(found));
});
process.send?.("ready");
