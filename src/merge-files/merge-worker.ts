/** The program of a thread: does the tasks that it is sent. */
import { parentPort, workerData } from "node:worker_threads";
import type { TaskResult, ThreadTask } from "./task.ts";
import { threadFaultOf, type ThreadFault } from "./thread-fault.ts";
import { ThreadWork } from "./thread-work.ts";

/** What a thread is for. It does any task, but who hashes does not load what merges before that is asked for. */
export type ThreadKind = "merging" | "hashing";

/** The answer to the task of that number. */
export type ThreadAnswer = { readonly id: number } & ({ readonly found: TaskResult } | { readonly fault: ThreadFault });

const work = new ThreadWork();
parentPort?.on("message", ({ id, task }: { readonly id: number; readonly task: ThreadTask }) => {
  void work.do(task).then(
    (found) => answer({ id, found }),
    (error: unknown) => answer({ id, fault: threadFaultOf(error) }),
  );
});
parentPort?.postMessage("ready");
if (workerData === ("merging" satisfies ThreadKind)) work.prepare();

function answer(message: ThreadAnswer): void {
  parentPort?.postMessage(message);
}
