import { type ChildProcess, fork, type ForkOptions } from "node:child_process";
import { UserError } from "../errors.ts";
import { childProgram, type childPrograms } from "./child-program.ts";
import { ChildTime } from "./child-time.ts";
import { reasonOf } from "./system-error.ts";

/** Of processor time, some hundred times what a program of ours takes to load; one that hangs is given five times as long. */
const PATIENCE_MS = 20_000;
const LOOK_MS = 250;

/** How a program of ours is started as a process. */
export interface ChildOptions extends ForkOptions {
  /** What it is, for people: "the process that reads parquet". */
  readonly what: string;
  /** Options of Node, in front of those that the program needs. */
  readonly execArgv?: string[];
  readonly patienceMs?: number;
}

export interface StartedChild {
  readonly child: ChildProcess;
  /** Resolves with its first message; a UserError where none comes. Nobody need wait. */
  readonly started: Promise<void>;
}

/**
 * Starts a program of ours as a process, which says by its first message that it has started. Where the system allows too few
 * threads, Node may end before that, or wait for ever for a thread of its own that was not made.
 */
export function startChild(
  name: keyof typeof childPrograms,
  { what, execArgv = [], patienceMs = PATIENCE_MS, ...options }: ChildOptions,
): StartedChild {
  const { path, execArgv: own } = childProgram(name);
  let child: ChildProcess;
  try {
    child = fork(path, { ...options, execArgv: [...execArgv, ...own] });
  } catch (cause) {
    throw cannotStart(what, reasonOf(cause));
  }
  let timer: NodeJS.Timeout | undefined;
  const started = new Promise<void>((resolve, reject) => {
    const fail = (why: string): void => reject(cannotStart(what, why));
    const time = new ChildTime(child.pid);
    const look = (): void => {
      if (time.look(LOOK_MS) > patienceMs) fail("it says nothing");
    };
    timer = setInterval(look, LOOK_MS).unref();
    child.once("message", () => resolve());
    child.on("error", (cause) => fail(reasonOf(cause)));
    child.once("exit", (code, signal) => fail(signal ?? `exit code ${code}`));
  });
  const settled = (): void => clearInterval(timer);
  started.then(settled, settled);
  return { child, started };
}

/** That a process or thread of ours does not start: limits of the system are the usual cause, and nothing else tells of them. */
export function cannotStart(what: string, why: string): UserError {
  return new UserError(
    `${what} does not start (${why}); the system may allow too few processes and threads (ulimit -u, the pids limit of a container) or have too little memory`,
  );
}
