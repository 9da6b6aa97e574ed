import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { newsRows, quizRows, writeTinyExperiment } from "../tiny-experiment.ts";
import type { LoopbackHub } from "./loopback-hub.ts";

/** Rows of each task, as many as leave some for the guard. */
const ROWS = { quiz: quizRows("search", 24), news: newsRows("search", 16) } as const;

/**
 * Puts base, experts and rows of a tiny experiment on the Hub, as `tiny/base`, `tiny/nature`, `tiny/craft` and the dataset
 * `tiny/rows`, and writes an experiment file that takes all of them by name. Returns its path.
 */
export async function publishTinyExperiment(
  server: LoopbackHub,
  folder: string,
  file: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const local = await writeTinyExperiment(folder);
  for (const name of ["base", "nature", "craft"]) {
    server.addModel(`tiny/${name}`, {
      folder: join(folder, name),
      licence: "apache-2.0",
      date: "2024-03-01T00:00:00Z",
    });
  }
  const rows = server.addDataset("tiny/rows", { files: { "README.md": "---\nlicense: cc-by-4.0\n---\n" } });
  const files = Object.entries(ROWS).map(([name, rows]) => [`${name}/train/0000.parquet`, parquet(rows)] as const);
  rows.commit({ branch: "refs/convert/parquet", files: Object.fromEntries(files) });
  const fields = JSON.parse(await readFile(local, "utf8")) as Record<string, unknown>;
  const tasks = { quiz: { rows: { dataset: "tiny/rows" } }, news: { rows: { dataset: "tiny/rows", split: "train" } } };
  const named = { ...fields, base: "tiny/base", experts: ["tiny/nature", "tiny/craft"], tasks, ...file };
  const path = join(folder, "named.yaml");
  await writeFile(path, JSON.stringify(named, null, 2));
  return path;
}

/** Rows as a parquet file, a column for each key. */
function parquet(rows: readonly object[]): Uint8Array {
  const columnData = Object.keys(rows[0] ?? {}).map((name) => ({
    name,
    data: rows.map((row) => (row as Record<string, unknown>)[name]),
  }));
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}
