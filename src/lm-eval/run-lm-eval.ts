import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { UserError } from "../errors.ts";
import { endWithUs } from "./end-with-us.ts";
import type { LmEval } from "./find-lm-eval.ts";
import { OutputReader } from "./output-reader.ts";

/** What lm_eval is asked, apart from the model. */
export interface LmEvalQuestion {
  /** Tasks or groups, with commas between them. */
  readonly task: string;
  /** A number, `auto` or `auto:N`. */
  readonly batchSize: string;
  /** Further arguments of lm_eval. */
  readonly args: readonly string[];
}

export interface RunLmEvalOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told the share of the requests that is done. */
  readonly onProgress?: ((share: number) => void) | undefined;
  /** That of this process unless given. */
  readonly environment?: NodeJS.ProcessEnv | undefined;
  /** How long an interrupted lm_eval may take to end by itself; 5000 unless given. */
  readonly graceMs?: number;
}

/** lm_eval makes a folder whose name is the model's whole path with each `/` as two characters; 255 bytes is the limit. */
const LONGEST_PATH = 200;

/** Answers are found in it again by the request alone, also those of another model. */
const CACHE = "a cache of lm_eval does not tell one model's answers from another's";

/** Options that are not for further arguments, and why. */
const REFUSED: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "--model": "this follows from the target",
    "-m": "this follows from the target",
    "-M": "this follows from the target",
    "--tasks": "this follows from --task",
    "-t": "this follows from --task",
    "--batch_size": "this follows from --batch-size",
    "-b": "this follows from --batch-size",
    "--output_path": "this follows from the folder of the target",
    "-o": "this follows from the folder of the target",
    "--use_cache": CACHE,
    "-c": CACHE,
  }),
);

/** The arguments of lm_eval that decide a result, apart from the model. */
export function settingsOf({ task, batchSize, args }: LmEvalQuestion): string[] {
  return ["--tasks", task, "--batch_size", batchSize, ...args];
}

/**
 * The arguments of lm_eval: those of the competition's own command, `--model hf --model_args pretrained=<folder> --tasks
 * mmlu --batch_size 8`, and where to write. A UserError for a folder that `--model_args` cannot name, and for a further
 * argument that would take the place of one of these or mix up models.
 */
export function lmEvalArguments(model: string, question: LmEvalQuestion, output: string, base?: string): string[] {
  for (const folder of base === undefined ? [model] : [base, model]) checkPath(folder);
  for (const argument of question.args) {
    const option = argument.split("=", 1)[0] ?? "";
    const reason = REFUSED.get(option) ?? (/(^|[,=])pretrained=/.test(argument) ? REFUSED.get("--model") : undefined);
    if (reason !== undefined) throw new UserError(`${argument}: ${reason}; leave it out`);
  }
  const modelArgs = base === undefined ? `pretrained=${model}` : `pretrained=${base},peft=${model}`;
  return [
    "--model",
    "hf",
    "--model_args",
    modelArgs,
    ...settingsOf(question),
    "--output_path",
    output,
    "--log_samples",
  ];
}

function checkPath(model: string): void {
  const fault = /[,={]/.test(model)
    ? "takes a comma, = or { in a path for a part of its own syntax"
    : Buffer.byteLength(model) > LONGEST_PATH
      ? `cannot write results for a path of more than ${LONGEST_PATH} bytes`
      : undefined;
  if (fault !== undefined) {
    throw new UserError(`${model}: lm_eval ${fault}; rename the folder, or evaluate a symbolic link to it`);
  }
}

/** What Python's libraries say where they cannot reach the Hub, which the tasks of lm_eval are fetched from. */
const UNREACHED =
  /Couldn't reach|couldn't connect|LocalEntryNotFound|OfflineMode|ConnectionError|MaxRetryError|Failed to resolve/;

/** A failure of lm_eval in one sentence. */
export class LmEvalError extends UserError {
  /** The end of its output. */
  readonly output: string;

  constructor(end: string, { end: output, fault }: OutputReader) {
    const remedy = UNREACHED.test(fault)
      ? "; it fetches the rows of its tasks from the Hugging Face Hub: connect this machine to it, or bring the cache (HF_HOME) of one that has fetched them"
      : "";
    super(`lm_eval ${end}${fault === "" ? "" : `: ${fault}`}${remedy}`);
    this.output = output;
  }
}

/**
 * Runs lm_eval and waits for its end. Its failure is an LmEvalError; an abort of the signal interrupts
 * it, with all processes it has started, and throws the signal's reason. They end when this process is killed, too.
 */
export async function runLmEval(
  { command: [program, ...before] }: LmEval,
  args: readonly string[],
  { signal, onProgress, environment = process.env, graceMs = 5000 }: RunLmEvalOptions = {},
): Promise<void> {
  signal?.throwIfAborted();
  const output = new OutputReader(onProgress ?? (() => {}));
  // A process group of its own, so that an interruption reaches lm_eval once, and all that it has started.
  const child = spawn(program, [...before, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    env: environment,
  });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", output.read);
  const callOff = endWithUs(child.pid);
  using _ = interruptOnAbort(child, signal, graceMs);
  const ended = once(child, "close").catch((cause: unknown) => {
    throw new UserError(`cannot run ${program}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
  const [code, killedBy] = (await ended.finally(callOff)) as [number | null, NodeJS.Signals | null];
  signal?.throwIfAborted();
  if (code === 0) return;
  const end = killedBy === null ? `exited with code ${code}` : `was killed by ${killedBy}`;
  throw new LmEvalError(end, output);
}

/**
 * Interrupts the child when the signal aborts and ends it when that does not help. Disposing of this stops watching, and
 * ends what an interrupted child has left running.
 */
function interruptOnAbort(child: ChildProcess, signal: AbortSignal | undefined, graceMs: number): Disposable {
  let timer: NodeJS.Timeout | undefined;
  const interrupt = (): void => {
    send(child, "SIGINT");
    timer = setTimeout(() => send(child, "SIGKILL"), graceMs);
  };
  signal?.addEventListener("abort", interrupt, { once: true });
  return {
    [Symbol.dispose]() {
      signal?.removeEventListener("abort", interrupt);
      if (timer === undefined) return;
      clearTimeout(timer);
      send(child, "SIGKILL");
    },
  };
}

function send(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    // Windows has no process groups.
    if (process.platform === "win32") child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // It has ended by itself.
  }
}
