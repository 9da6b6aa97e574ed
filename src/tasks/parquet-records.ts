import { UserError } from "../errors.ts";
import { ChildTime } from "../files/child-time.ts";
import type { Expected } from "../files/read-file.ts";
import { startChild, type StartedChild } from "../files/start-child.ts";
import type { ParquetTable } from "./parquet-table.ts";
import type { RowRecord } from "./row-record.ts";

/** What the process is asked, after it has said that it is ready. */
export interface ParquetRequest {
  readonly path: string;
  readonly file: Expected;
  readonly columns: readonly string[];
}

export type ParquetAnswer = { readonly table: ParquetTable } | { readonly refusal: string };

/** Megabytes of heap: 900,000 rows of 243 million characters took 760 with all else. */
const HEAP_MB = 2048;
/** Of work on one file: those 900,000 rows took 28 s on two busy cores. */
const PATIENCE_MS = 120_000;
/** How often the process is looked at. */
const LOOK_MS = 250;

/**
 * The rows of a parquet file, of which only the named columns are read, in a process of its own: one that takes too long
 * or too much memory is ended, as is one that nobody waits for any more: an abort of the signal rejects with its reason.
 * Whatever is wrong with the file is a UserError.
 */
export async function parquetRecords(
  path: string,
  file: Expected,
  wanted: ReadonlySet<string>,
  {
    signal,
    patienceMs = PATIENCE_MS,
  }: { readonly signal?: AbortSignal | undefined; readonly patienceMs?: number } = {},
): Promise<Iterable<RowRecord>> {
  signal?.throwIfAborted();
  const process = startChild("parquet", {
    what: "the process that reads parquet",
    execArgv: [`--max-old-space-size=${HEAP_MB}`],
    serialization: "advanced",
    // What the engine writes when its heap is full is told in a sentence.
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  try {
    const answer = await answerOf(process, { path, file, columns: [...wanted] }, patienceMs, signal);
    if ("refusal" in answer) throw new UserError(answer.refusal);
    return recordsOf(path, answer.table);
  } finally {
    process.child.kill("SIGKILL");
  }
}

function answerOf(
  { child, started }: StartedChild,
  request: ParquetRequest,
  patienceMs: number,
  signal: AbortSignal | undefined,
): Promise<ParquetAnswer> {
  let timer: NodeJS.Timeout | undefined;
  let abort: (() => void) | undefined;
  return new Promise<ParquetAnswer>((resolve, reject) => {
    const fail = (reason: string): void =>
      reject(new UserError(`${request.path}: cannot read it as parquet: ${reason}`));
    abort = () => reject(signal?.reason as Error);
    signal?.addEventListener("abort", abort);
    child.on("message", (answer: ParquetAnswer | "ready") => {
      if (answer !== "ready") resolve(answer);
    });
    const ask = (): void => {
      const time = new ChildTime(child.pid);
      timer = setInterval(() => {
        if (time.look(LOOK_MS) > patienceMs) fail(`it takes more than ${patienceMs / 1000} s`);
      }, LOOK_MS);
      child.on("exit", (code, signal) => {
        fail(`its process ended (${signal ?? `exit code ${code}`}); it may need more than ${HEAP_MB} MB of memory`);
      });
      child.send(request, (error) => {
        if (error) fail(`its process cannot be reached (${error.message})`);
      });
    };
    started.then(ask).catch(reject);
  }).finally(() => {
    clearInterval(timer);
    if (abort) signal?.removeEventListener("abort", abort);
  });
}

function* recordsOf(path: string, { columns, rows, values }: ParquetTable): Generator<RowRecord> {
  // Where no column is wanted one empty record tells the caller so; the row count alone is not to be trusted.
  const count = values.size > 0 ? rows : Math.min(rows, 1);
  for (let row = 0; row < count; row++) {
    const own = Object.fromEntries(Array.from(values, ([name, all]) => [name, all[row]]));
    yield { where: `${path}: row ${row + 1}`, columns, values: own, share: (row + 1) / count };
  }
}
