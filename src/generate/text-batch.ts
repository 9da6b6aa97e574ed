/**
 * Texts that grow together, token by token. The keys and values of their tokens so far stay on the device, so that each pass
 * has one new token of each text; all stages of it are one graph.
 * @module
 */
import { gatherRows, input, reshape, type Expression } from "../device/expression.ts";
import { DeviceBatches } from "../evaluate/device-batches.ts";
import type { PackedBatch } from "../evaluate/pack.ts";
import { mapValues, type StateTensors } from "../evaluate/stage-run.ts";
import { Uploads } from "../evaluate/uploads.ts";
import { spanOfLength, type State } from "../model/architecture.ts";
import type { TokenBatch } from "../model/token-batch.ts";
import { elementCount } from "../tensor/dtype.ts";
import type { GrowingText } from "./growing-text.ts";
import type { HeldMerge } from "./held-merge.ts";
import { putLast, type CacheColumns } from "./last-tokens.ts";

/** The cache is copied without the texts that are over once they are so many of those in it. */
const OVER_SHARE = 0.5;

export class TextBatch {
  readonly #held: HeldMerge;
  readonly #first: DeviceBatches;
  /** In the order of the cache. */
  #texts: readonly GrowingText[];
  #columns: CacheColumns;
  /** What each stage remembers. */
  #past: readonly StateTensors[] = [];

  private constructor(
    held: HeldMerge,
    first: DeviceBatches,
    { length, source }: PackedBatch,
    texts: readonly GrowingText[],
  ) {
    this.#held = held;
    this.#first = first;
    this.#texts = texts;
    this.#columns = {
      width: length,
      lengths: texts.map((text) => text.length),
      later: 0,
      sourceWidth: source?.length ?? 0,
    };
  }

  /** Brings a batch to the device, in which each of the texts has one target: its next token. */
  static async open(held: HeldMerge, packed: PackedBatch, texts: readonly GrowingText[]): Promise<TextBatch> {
    const first = await DeviceBatches.upload(held.device, held.model, [packed]);
    return new TextBatch(held, first, packed, texts);
  }

  /** Whether a text has grown into another span of lengths, in which its model reads all of it anew. */
  get mustBeReread(): boolean {
    const { spans, rereadsGrownTexts = false } = this.#held.model;
    const { lengths } = this.#columns;
    const hasGrown = (text: GrowingText, i: number): boolean =>
      !text.isOver && spanOfLength(spans, text.length) !== spanOfLength(spans, lengths[i]!);
    return rereadsGrownTexts && this.#texts.some(hasGrown);
  }

  /** Adds the most likely next token to each text that is not over. */
  async grow(): Promise<void> {
    const isFirst = this.#past.length === 0;
    const next = isFirst ? await this.#readFirst() : await this.#readLast();
    for (const [i, text] of this.#texts.entries()) if (!text.isOver) text.added.push(next[i]!);
  }

  /** Takes it from the device. */
  free(): void {
    this.#forget();
    this.#first.free();
  }

  #readFirst(): Promise<Int32Array> {
    const [batch] = this.#first.batches;
    const targets = batch!.targets.map(({ rows }) => ({ rows }));
    return this.#pass({ ...batch!, targets, remembers: true }, []);
  }

  /** Sends the last token of each text through. */
  async #readLast(): Promise<Int32Array> {
    const { device, model } = this.#held;
    const uploads = new Uploads(device);
    try {
      const kept = this.#dropTextsThatAreOver();
      const rows = kept && (await uploads.put(Int32Array.from(kept), [kept.length]));
      const past = this.#past.map((own) => mapValues(own, (tensor) => rowsOf(input(tensor), rows)));
      this.#columns = { ...this.#columns, later: this.#columns.later + 1 };
      const last = Int32Array.from(this.#texts, (text) => text.added.at(-1)!);
      const sources = this.#texts.map(({ source }) => source?.length ?? 0);
      const batch = await putLast(uploads, model, last, { ...this.#columns, sources });
      return await this.#pass({ ...batch, constants: this.#first.batches[0]!.constants }, past);
    } finally {
      uploads.free();
    }
  }

  /** The most likely next token of each text; what the stages remember then takes the place of what they did. */
  async #pass(batch: TokenBatch, past: readonly State[]): Promise<Int32Array> {
    const { device } = this.#held;
    const { remembered, answers } = throughStages(this.#held, batch, past);
    const results = await device.run([...remembered.flatMap((own) => Object.values(own)), ...answers]);
    this.#forget();
    this.#past = remembered.map((own) => mapValues(own, () => results.shift()!));
    try {
      const ids: number[] = [];
      for (const tensor of results) ids.push(...integersOf(await device.read(tensor)));
      return Int32Array.from(ids);
    } finally {
      device.free(...results);
    }
  }

  /** Which rows of the cache are to be kept, if not all. */
  #dropTextsThatAreOver(): number[] | undefined {
    const kept = [...this.#texts.keys()].filter((i) => !this.#texts[i]!.isOver);
    if (kept.length === 0 || kept.length > (1 - OVER_SHARE) * this.#texts.length) return undefined;
    const { lengths } = this.#columns;
    this.#columns = { ...this.#columns, lengths: kept.map((i) => lengths[i]!) };
    this.#texts = kept.map((i) => this.#texts[i]!);
    return kept;
  }

  #forget(): void {
    this.#held.device.free(...this.#past.flatMap((own) => Object.values(own)));
    this.#past = [];
  }
}

/** What stages remember of a batch, for each of them, and what the last one says of its targets. */
function throughStages(
  { model, stages }: HeldMerge,
  batch: TokenBatch,
  past: readonly State[],
): { readonly remembered: readonly State[]; readonly answers: readonly Expression[] } {
  let state: State = {};
  const remembered = model.stages.map(({ forward, remembers = [] }, i): State => {
    const after = Object.entries(forward(stages[i]!, { ...state, ...past[i] }, batch));
    state = Object.fromEntries(after.filter(([name]) => !remembers.includes(name)));
    return Object.fromEntries(after.filter(([name]) => remembers.includes(name)));
  });
  return { remembered, answers: Object.values(state) };
}

/** Those rows of the first dimension, all of them unless told otherwise. */
function rowsOf(x: Expression, rows: Expression | undefined): Expression {
  if (!rows) return x;
  const [count = 0, ...others] = x.shape;
  const matrix = reshape(x, [count, elementCount(others)]);
  return reshape(gatherRows(matrix, rows), [rows.shape[0] ?? 0, ...others]);
}

function integersOf(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}
