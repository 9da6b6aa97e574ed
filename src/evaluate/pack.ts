/**
 * Rows as token sequences: all continuations of a row stand behind its context in one sequence, and a mask lets each
 * see the context and itself only, so that the context is computed once.
 * @module
 */
import { everyLength, spanOfLength, type Encoding, type Spans } from "../model/architecture.ts";
import { layOutBatches, type BatchLayout } from "./batch-layout.ts";
import { computedTokens, totalTokens } from "./batch-sizes.ts";
import { packSource, type PackedSource } from "./pack-source.ts";

/** A tokenised row: a context of at least one token and the continuations to score behind it. */
export interface Prompt {
  /** What an encoder reads of the row, of a model that has one; the context is then what its decoder reads first. */
  readonly source?: Int32Array;
  readonly context: Int32Array;
  readonly continuations: readonly Int32Array[];
}

/** Where the log-probability of one token of one continuation is found. */
export interface Target {
  readonly prompt: number;
  readonly continuation: number;
  /** Row of the batch's hidden states that predicts the token. */
  readonly row: number;
  readonly token: number;
}

/** Which prompts share a batch, and how many tokens that has. */
export interface BatchPlan {
  /** The prompts, each of which is one sequence. */
  readonly members: readonly number[];
  readonly sequences: number;
  readonly length: number;
  /** Tokens of each sequence; what stands behind them is padding. */
  readonly counts: readonly number[];
  readonly source?: { readonly length: number };
}

/** Padded sequences of similar length, ready for upload. */
export interface PackedBatch extends BatchPlan {
  readonly tokens: Int32Array;
  /** By the name of their span: 0 in sequences of other lengths. */
  readonly positions: Readonly<Record<string, Int32Array>>;
  /** [sequences, length, length] by name: 0 where a token (row) sees another (column), else -Infinity. */
  readonly masks: Readonly<Record<string, Float32Array>>;
  readonly source?: PackedSource;
  readonly targets: readonly Target[];
}

export interface PackOptions {
  /** Padded tokens of one batch. */
  readonly batchTokens: number;
  /** Tokens that attention looks back, by the name of its mask. */
  readonly windows: Readonly<Record<string, number>>;
  /** All continuations of a prompt make sequences of one span. */
  readonly spans?: Spans;
  /** Of a model with an encoder; its prompts have sources. */
  readonly encoding?: Encoding | undefined;
}

/** Packs all prompts, longest first, into batches of at most `batchTokens` padded tokens, or one sequence. */
export function packPrompts(prompts: readonly Prompt[], options: PackOptions): PackedBatch[] {
  return packGroups(
    prompts.map((prompt) => [prompt]),
    options,
  ).flat();
}

/**
 * The same, where the prompts of a group share a batch; a group for which one is too small has batches of its own. Returns
 * lists of batches that have all prompts of their groups; prompts are numbered through all groups.
 */
export function packGroups(groups: readonly (readonly Prompt[])[], options: PackOptions): PackedBatch[][] {
  const prompts = groups.flat();
  let next = 0;
  const numbered = groups.map((group) => group.map(() => next++));
  const lists = layOutBatches(numbered, prompts.map(lengthsOf), options.batchTokens);
  return lists.map((list) => list.map((layout) => packBatch(prompts, layout, options)));
}

/**
 * The batches of `packPrompts`, in its order, without their contents. The prompts of some neighbouring batches, in the order in
 * which they were given, make the same batches alone.
 */
export function planBatches(
  prompts: readonly Prompt[],
  { batchTokens }: Pick<PackOptions, "batchTokens">,
): BatchPlan[] {
  const alone = prompts.map((_, index) => [index]);
  const own = prompts.map(lengthsOf);
  return layOutBatches(alone, own, batchTokens)
    .flat()
    .map(({ members, lengths: [length = 0, source] }) => ({
      members,
      sequences: members.length,
      length,
      counts: members.map((index) => own[index]![0]!),
      ...(source !== undefined && { source: { length: source } }),
    }));
}

/** Tokens that layers compute of all batches that these prompts are packed into. */
export function packedTokens(prompts: readonly Prompt[], options: Pick<PackOptions, "batchTokens">): number {
  return totalTokens(planBatches(prompts, options), computedTokens);
}

/** Tokens of a prompt's sequence; a continuation's last token is only ever predicted, never read. */
export function packedLength({ context, continuations }: Prompt): number {
  return continuations.reduce((length, { length: own }) => length + own - 1, context.length);
}

/** Of its sequence, and of its source where there is one. */
function lengthsOf(prompt: Prompt): number[] {
  return [packedLength(prompt), ...(prompt.source ? [prompt.source.length] : [])];
}

/** Tokens of the longest sequence that a continuation makes with the context alone. */
function longestAlone({ context, continuations }: Prompt): number {
  return context.length - 1 + continuations.reduce((most, { length }) => Math.max(most, length), 1);
}

/** One prompt laid out as a sequence; segment 0 is the context, segment k the continuation k - 1. */
interface Layout {
  readonly tokens: number[];
  readonly positions: number[];
  readonly segments: number[];
}

function packBatch(
  prompts: readonly Prompt[],
  { members, lengths: [length = 0, sourceLength = 0] }: BatchLayout,
  { windows, spans = everyLength, encoding }: PackOptions,
): PackedBatch {
  const sequences = members.length;
  const tokens = new Int32Array(sequences * length);
  const positions = Object.fromEntries(Object.keys(spans).map((name) => [name, new Int32Array(sequences * length)]));
  const masks = Object.entries(windows).map(([name, window]) => ({
    name,
    window,
    mask: new Float32Array(sequences * length * length).fill(-Infinity),
  }));
  const targets: Target[] = [];
  const layouts = members.map((index) => layOut(prompts[index]!));
  members.forEach((index, sequence) => {
    const [prompt, layout] = [prompts[index]!, layouts[sequence]!];
    const first = sequence * length;
    tokens.set(layout.tokens, first);
    positions[spanOfLength(spans, longestAlone(prompt))]?.set(layout.positions, first);
    for (const { mask, window } of masks) {
      openMask(mask.subarray(first * length, (first + length) * length), length, layout, window);
    }
    targets.push(...targetsOf(prompt, index, first));
  });
  const byName = Object.fromEntries(masks.map(({ name, mask }) => [name, mask]));
  const counts = layouts.map((layout) => layout.tokens.length);
  const packed = { members, sequences, length, tokens, counts, positions, masks: byName, targets };
  if (!encoding) return packed;
  const contexts = members.map((index) => sourceOf(prompts[index]!));
  const own = { length, positions: layouts.map((layout) => layout.positions) };
  return { ...packed, source: packSource(contexts, sourceLength, own, encoding) };
}

function sourceOf({ source }: Prompt): Int32Array {
  if (!source) throw new Error("pack: a prompt has no source, which the model's encoder reads");
  return source;
}

function layOut({ context, continuations }: Prompt): Layout {
  const layout: Layout = { tokens: [...context], positions: [...context.keys()], segments: [...context].fill(0) };
  continuations.forEach((continuation, index) => {
    continuation.subarray(0, -1).forEach((token, i) => {
      layout.tokens.push(token);
      layout.positions.push(context.length + i);
      layout.segments.push(index + 1);
    });
  });
  return layout;
}

/** Sets to 0 what each token sees: earlier tokens of the context and of its own continuation, inside the window. */
function openMask(mask: Float32Array, length: number, { positions, segments }: Layout, window: number): void {
  for (let row = 0; row < length; row += 1) {
    // Padding sees itself, so that its softmax has something to sum.
    mask[row * length + row] = 0;
    const position = positions[row] ?? -1;
    for (let column = 0; column < row && row < positions.length; column += 1) {
      const visible = segments[column] === 0 || segments[column] === segments[row];
      if (visible && position - (positions[column] ?? 0) < window) mask[row * length + column] = 0;
    }
  }
}

function targetsOf({ context, continuations }: Prompt, prompt: number, first: number): Target[] {
  let start = first + context.length;
  return continuations.flatMap((ids, continuation) => {
    const segment = start;
    start += ids.length - 1;
    return Array.from(ids, (token, i) => ({
      prompt,
      continuation,
      token,
      row: i === 0 ? first + context.length - 1 : segment + i - 1,
    }));
  });
}
