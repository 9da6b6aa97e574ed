/** The program of a thread: does the tasks that it is sent. */
import { parentPort, workerData } from "node:worker_threads";
import { UserError } from "../errors.ts";
import type { TaskResult, ThreadTask } from "./task.ts";
import { ThreadWork } from "./thread-work.ts";

/** What a thread is for. It does any task, but who hashes does not load what merges before that is asked for. */
export type ThreadKind = "merging" | "hashing";

/** The answer to the task of that number. */
export type ThreadAnswer = { readonly id: number } & ({ readonly found: TaskResult } | { readonly fault: ThreadFault });

/** An error as plain data, since those that cross between threads lose their class and code. */
export interface ThreadFault {
  readonly isExpected: boolean;
  readonly message: string;
  readonly code: string | undefined;
}

const work = new ThreadWork();
parentPort?.on("message", ({ id, task }: { readonly id: number; readonly task: ThreadTask }) => {
  void work.do(task).then(
    (found) => answer({ id, found }),
    (error: unknown) => answer({ id, fault: faultOf(error) }),
  );
});
parentPort?.postMessage("ready");
if (workerData === ("merging" satisfies ThreadKind)) work.prepare();

function answer(message: ThreadAnswer): void {
  parentPort?.postMessage(message);
}

function faultOf(error: unknown): ThreadFault {
  const isExpected = error instanceof UserError;
  if (!(error instanceof Error)) return { isExpected, message: String(error), code: undefined };
  const code = "code" in error ? String(error.code) : undefined;
  return { isExpected, message: isExpected ? error.message : (error.stack ?? error.message), code };
}
