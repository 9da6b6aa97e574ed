import { Worker } from "node:worker_threads";
import koffi from "koffi";
import { OutOfMemory } from "../../errors.ts";
import { childProgram } from "../../files/child-program.ts";
import { cannotStart } from "../../files/start-child.ts";
import { reasonOf } from "../../files/system-error.ts";
import type { NativeCall, NativeWork } from "./c-functions.ts";

/** Of memory in bytes, as a page has it. */
const ALIGNMENT = 4096;

/** What became of calls: nothing where all went well, else which one returned what. */
export type LaneAnswer = { readonly at?: number; readonly result?: unknown } | { readonly fault: string };

/**
 * A thread that makes calls of C functions, and does not keep the process alive when it has none. It starts with its first work.
 * Threads of Node's pool would be woken for each call, each time another one, on any core.
 */
export class LaneThread {
  #worker: Worker | undefined;
  /** What calls take as scratchpads, one after the other: it has been as large as this once. */
  #scratchpad = new Uint8Array();
  #settle: ((answer: LaneAnswer) => void) | undefined;

  /** Does one work after the other; the Error of the first call that fails, behind which none is made. */
  async do(works: readonly NativeWork[]): Promise<void> {
    this.#lendScratchpad(works);
    const calls = works.flatMap((work) => work.calls.map((call) => ({ call, work })));
    const answer = await this.#make(calls.map(({ call }) => call));
    if ("fault" in answer) throw new Error(`a call of a C function failed: ${answer.fault}`);
    if (answer.at === undefined) return;
    const { work } = calls[answer.at] ?? {};
    throw work?.refusal?.(answer.result) ?? new Error(`a C function returned ${String(answer.result)}`);
  }

  /** Bytes that are kept for scratchpads. */
  get bytes(): number {
    return this.#scratchpad.length;
  }

  /** Ends the thread, which has nothing to do any more. */
  async end(): Promise<void> {
    await this.#worker?.terminate();
  }

  #lendScratchpad(works: readonly NativeWork[]): void {
    const wanted = works.flatMap(({ scratchpad }) => (scratchpad && scratchpad.bytes > 0 ? [scratchpad] : []));
    const bytes = wanted.reduce((most, own) => Math.max(most, own.bytes), 0);
    if (bytes === 0) return;
    if (bytes + ALIGNMENT > this.#scratchpad.length) this.#enlargeScratchpad(bytes + ALIGNMENT);
    const address = koffi.address(this.#scratchpad);
    const aligned = address + (-address & BigInt(ALIGNMENT - 1));
    for (const { lend } of wanted) lend(aligned);
  }

  #enlargeScratchpad(bytes: number): void {
    this.#scratchpad = new Uint8Array();
    try {
      this.#scratchpad = new Uint8Array(bytes);
    } catch (error) {
      throw new OutOfMemory("ggml: out of memory for what a product takes beside its factors", ` (${reasonOf(error)})`);
    }
  }

  async #make(calls: readonly NativeCall[]): Promise<LaneAnswer> {
    const worker = (this.#worker ??= this.#start());
    if (this.#settle) throw new Error("ggml: a lane has work already");
    worker.ref();
    try {
      return await new Promise<LaneAnswer>((resolve) => {
        this.#settle = resolve;
        worker.postMessage(calls);
      });
    } finally {
      this.#settle = undefined;
      worker.unref();
    }
  }

  #start(): Worker {
    const { path, execArgv } = childProgram("ggmlLane");
    try {
      // Functions that another thread calls have the stacks that they have here.
      const worker = new Worker(path, { execArgv, workerData: koffi.config() });
      worker.on("message", (answer: LaneAnswer) => this.#settle?.(answer));
      worker.on("error", (error) => this.#settle?.({ fault: reasonOf(error) }));
      // Another takes its place.
      worker.on("exit", () => {
        this.#worker = undefined;
        this.#settle?.({ fault: "its thread has ended" });
      });
      return worker;
    } catch (error) {
      throw cannotStart("engine ggml: a thread", reasonOf(error));
    }
  }
}
