/** The program of a thread: does the tasks that it is sent. */
import { parentPort } from "node:worker_threads";
import { UserError } from "../errors.ts";
import type { Found, Task } from "./task.ts";
import { Work } from "./work.ts";

/** The answer to the task of that number. */
export type Answer = { readonly id: number } & ({ readonly found: Found } | { readonly fault: Fault });

/** An error as plain data, since those that cross between threads lose their class and code. */
export interface Fault {
  readonly isExpected: boolean;
  readonly message: string;
  readonly code: string | undefined;
}

const work = new Work();
parentPort?.on("message", ({ id, task }: { readonly id: number; readonly task: Task }) => {
  void work.do(task).then(
    (found) => answer({ id, found }),
    (error: unknown) => answer({ id, fault: faultOf(error) }),
  );
});
parentPort?.postMessage("ready");

function answer(message: Answer): void {
  parentPort?.postMessage(message);
}

function faultOf(error: unknown): Fault {
  const isExpected = error instanceof UserError;
  if (!(error instanceof Error)) return { isExpected, message: String(error), code: undefined };
  const code = "code" in error ? String(error.code) : undefined;
  return { isExpected, message: isExpected ? error.message : (error.stack ?? error.message), code };
}
