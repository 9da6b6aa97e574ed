/**
 * A long scoring in parts, so that a crash loses one of them and not all. A part is some batches under all recipes;
 * which batches are in it changes no bit of a score, so its size may follow the clock.
 * @module
 */
import { UserError } from "../errors.ts";
import type { WorkTime } from "./pace.ts";
import type { BatchPlan, Prompt } from "./pack.ts";

/** Summed log-likelihoods in nats: [candidate][prompt][continuation]. */
export type LogLikelihoods = readonly (readonly Float64Array[])[];

/** As many sums as so many candidates have, that begin at `first`. */
export function sumsOf(candidates: number, prompts: readonly Prompt[], first: number): LogLikelihoods {
  return Array.from({ length: candidates }, () =>
    prompts.map(({ continuations }) => new Float64Array(continuations.length).fill(first)),
  );
}

/** What was scored of a call: the next `batches` of its batches. */
export interface ScoredPart {
  readonly batches: number;
  /** [candidate][prompt][continuation] of the prompts in these batches, one after another. */
  readonly logLikelihoods: Float64Array;
  readonly time: WorkTime;
}

/** A part that was kept, on the disk still: its size is a claim, to be held against what the batches have. */
export interface KeptPart {
  readonly batches: number;
  /** Of its log-likelihoods. */
  readonly count: number;
  readonly read: () => Float64Array;
}

/** Where the parts of one call are kept. */
export interface PartStore {
  /** Where that is, for people. */
  readonly place: string;
  /** Parts that were kept when the call was made before; they are not scored again. */
  readonly kept: readonly KeptPart[];
  /** Wall-clock time that a part is meant to take. */
  readonly partMs: number;
  /** Whether what is scored when the call is aborted is kept, however little it is. */
  readonly keepsLittle?: (() => boolean) | undefined;
  /** Keeps the next part; the last one is not kept but returned with all. */
  keep(part: ScoredPart): void;
}

const NO_PASSES = { tokens: 0, passes: 0, waitMs: 0 };

/** Puts the kept parts of one call into its sums, and keeps further ones as they are scored. */
export class PartKeeper {
  readonly #store: PartStore | undefined;
  readonly #batches: readonly BatchPlan[];
  readonly #sums: LogLikelihoods;
  readonly #now: () => number;
  #kept = 0;
  #scored = 0;
  #keptAt: number;
  /** Since then. */
  #passes: Omit<WorkTime, "ms" | "models"> = NO_PASSES;

  /** A UserError when the parts that were kept are not of these batches. Without a store nothing is kept. */
  constructor(store: PartStore | undefined, batches: readonly BatchPlan[], sums: LogLikelihoods, now: () => number) {
    this.#now = now;
    this.#keptAt = now();
    this.#store = store;
    this.#batches = batches;
    this.#sums = sums;
    for (const part of store?.kept ?? []) this.#restore(part, store?.place ?? "");
  }

  /** Batches that are kept. */
  get kept(): number {
    return this.#kept;
  }

  /** What was scored since the last part that was kept. */
  get time(): WorkTime {
    return { models: this.#sums.length, ...this.#passes, ms: this.#now() - this.#keptAt };
  }

  /** Told that the first `done` batches are scored: keeps them when that took a good part of the time of a part. */
  scored(done: number, pass: { readonly tokens: number; readonly waitMs: number }): void {
    const { tokens, passes, waitMs } = this.#passes;
    this.#passes = { tokens: tokens + pass.tokens, passes: passes + 1, waitMs: waitMs + pass.waitMs };
    this.#scored = done;
    if (this.#store && this.#now() - this.#keptAt >= this.#store.partMs / 2) this.#keep(this.#store);
  }

  /** Told that the call is aborted. */
  aborted(): void {
    if (this.#store?.keepsLittle?.()) this.#keep(this.#store);
  }

  #keep(store: PartStore): void {
    const done = this.#scored;
    if (done === this.#kept || done === this.#batches.length) return;
    const values = this.#sumsOf(done);
    const logLikelihoods = new Float64Array(totalLength(values));
    copy(values, (own, at) => logLikelihoods.set(own, at));
    store.keep({ batches: done - this.#kept, logLikelihoods, time: this.time });
    this.#kept = done;
    this.#keptAt = this.#now();
    this.#passes = NO_PASSES;
  }

  #restore({ batches, count, read }: KeptPart, place: string): void {
    const done = this.#kept + batches;
    const values = this.#sumsOf(done);
    const expected = totalLength(values);
    if (batches === 0 || done >= this.#batches.length || count !== expected) {
      throw new UserError(
        `${place}: a recorded part of the scores: expected ${expected} log-likelihoods, of fewer than ${this.#batches.length - this.#kept} batches, found ${count} of ${batches}; resume with the versions that the journal's first record names`,
      );
    }
    const logLikelihoods = read();
    copy(values, (own, at) => own.set(logLikelihoods.subarray(at, at + own.length)));
    this.#kept = done;
    this.#scored = done;
  }

  /** The sums of the prompts in the batches from the last kept to before `end`; a prompt is in one batch only. */
  #sumsOf(end: number): Float64Array[] {
    const batches = this.#batches.slice(this.#kept, end);
    const prompts = batches.flatMap(({ members }) => members);
    return this.#sums.flatMap((byPrompt) => prompts.map((prompt) => byPrompt[prompt]!));
  }
}

function totalLength(arrays: readonly Float64Array[]): number {
  return arrays.reduce((sum, { length }) => sum + length, 0);
}

/** Tells where in one long array each of the arrays begins. */
function copy(arrays: readonly Float64Array[], move: (own: Float64Array, at: number) => void): void {
  let at = 0;
  for (const own of arrays) {
    move(own, at);
    at += own.length;
  }
}
