import pLimit from "p-limit";
import { packPrompts, type PackedBatch } from "../evaluate/pack.ts";
import { GrowingText } from "./growing-text.ts";
import type { HeldMerge } from "./held-merge.ts";
import { TextBatch } from "./text-batch.ts";

/** What was added to a prompt. */
export interface OverText {
  readonly prompt: number;
  readonly added: readonly number[];
}

export interface GrowthOptions {
  /** The most tokens that are added to a text. */
  readonly maxNewTokens: number;
  /** Tokens behind which a text is over. */
  readonly endIds: ReadonlySet<number>;
  /** Asked now and then which texts are over for another reason, which it says in them. */
  readonly look?: ((texts: readonly GrowingText[]) => Promise<void>) | undefined;
  /** Looked at between two tokens; when it aborts, its reason is thrown and nothing of the texts stays on the device. */
  readonly signal?: AbortSignal | undefined;
  /** Told which texts are over, by the numbers of their prompts, while others still grow. */
  readonly onOver?: ((over: readonly OverText[]) => Promise<void>) | undefined;
  /** Told how many tokens were added to all texts so far, and how many texts are over. */
  readonly onProgress?: ((added: number, over: number) => void) | undefined;
}

/** Padded tokens of the first pass of a batch, at most, unless one text has more. */
const BATCH_TOKENS = { cpu: 4096, gpu: 32_768 } as const;

/** Tokens after which is looked at what texts say. */
const LOOK_EVERY = 8;

/**
 * Adds the most likely next token to each prompt, again and again, until the text is over: behind a token that ends it, at
 * the greatest number of tokens, where the model has no further position, or where `look` says so. Returns the tokens behind
 * each prompt. Prompts have at least one token and no more than the model has positions. An encoder reads the prompt where the model
 * has one, and its decoder begins the text.
 */
export async function generateTokens(
  held: HeldMerge,
  prompts: readonly Int32Array[],
  { signal, onOver = async () => {}, onProgress = () => {}, ...rules }: GrowthOptions,
): Promise<Int32Array[]> {
  const { encoding } = held.model;
  const texts = prompts.map((prompt) =>
    encoding ? new GrowingText(Int32Array.of(encoding.startToken), prompt) : new GrowingText(prompt),
  );
  const limit = pLimit(held.device.concurrency);
  const end = async (grown: readonly GrowingText[]): Promise<void> => {
    const growing = grown.filter(({ isOver }) => !isOver);
    await endTexts(held, growing, rules);
    const over = growing.filter(({ isOver }) => isOver);
    if (over.length > 0) await onOver(over.map((text) => ({ prompt: texts.indexOf(text), added: text.added })));
  };
  const failures: unknown[] = [];
  const grow = async (packed: PackedBatch, members: readonly GrowingText[]): Promise<void> => {
    if (failures.length > 0) return;
    const batch = await TextBatch.open(held, packed, members);
    try {
      while (failures.length === 0 && !batch.mustBeReread && members.some(({ isOver }) => !isOver)) {
        signal?.throwIfAborted();
        await batch.grow();
        await end(members);
        onProgress(
          texts.reduce((sum, { added }) => sum + added.length, 0),
          texts.filter(({ isOver }) => isOver).length,
        );
      }
    } catch (error) {
      failures.push(error);
    } finally {
      batch.free();
    }
  };
  await end(texts);
  // Where a text must be read anew, all of its batch are.
  for (;;) {
    const waiting = texts.filter(({ isOver }) => !isOver);
    if (waiting.length === 0) return texts.map(({ added }) => Int32Array.from(added));
    await Promise.all(batchesOf(held, waiting).map(({ packed, members }) => limit(() => grow(packed, members))));
    if (failures.length > 0) throw failures[0];
  }
}

/** Says which texts are over. */
async function endTexts(
  { model }: HeldMerge,
  texts: readonly GrowingText[],
  { maxNewTokens, endIds, look }: Pick<GrowthOptions, "maxNewTokens" | "endIds" | "look">,
): Promise<void> {
  // Positions of an encoder-decoder are distances, which have no end.
  const most = model.encoding ? Infinity : model.maxLength;
  for (const text of texts) {
    const { added } = text;
    text.isOver ||= added.length >= maxNewTokens || text.length > most || endIds.has(added.at(-1) ?? -1);
  }
  const growing = texts.filter(({ isOver }) => !isOver);
  if (look && growing.some(({ added }) => added.length % LOOK_EVERY === 0 && added.length > 0)) await look(growing);
}

/** As many batches as the device computes at once, or more; in each the texts that their targets are of. */
function batchesOf(
  { device, model }: HeldMerge,
  texts: readonly GrowingText[],
): { readonly packed: PackedBatch; readonly members: readonly GrowingText[] }[] {
  // A token that is not there to be predicted: its place is all that counts.
  const prompts = texts.map(({ ids, source }) => ({
    ...(source && { source }),
    context: ids,
    continuations: [Int32Array.of(0)],
  }));
  const tokens = texts.reduce((sum, { length, source }) => sum + length + (source?.length ?? 0), 0);
  const batchTokens = Math.min(BATCH_TOKENS[device.kind], Math.ceil(tokens / device.concurrency));
  const packed = packPrompts(prompts, { ...model, batchTokens });
  return packed.map((own) => ({ packed: own, members: own.targets.map(({ prompt }) => texts[prompt]!) }));
}
