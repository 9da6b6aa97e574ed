import { UserError } from "../errors.ts";
import { showUntrusted } from "../files/show-untrusted.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import { generateTokens, type GrowthOptions } from "./generate-tokens.ts";
import type { HeldMerge } from "./held-merge.ts";

export interface TextOptions extends Omit<GrowthOptions, "look"> {
  /** A text ends before the first of these that it has, as lm_eval's `until`. */
  readonly until: readonly string[];
}

/** What a model adds to a prompt. */
export interface GeneratedText {
  readonly text: string;
  /** How many tokens were generated, those that ended the text among them. */
  readonly tokens: number;
  /** Whether the prompt lost its beginning: model and new tokens had no room for all of it. */
  readonly isCut: boolean;
}

/**
 * Texts behind prompts, each token the most likely one, as lm_eval's `generate_until` without sampling: a prompt keeps the end
 * for which the model has room beside `maxNewTokens`, special tokens are left out of the text, and it ends before the first of
 * `until`. UserErrors: no room for any prompt, a prompt without tokens or with one that the model lacks.
 */
export async function generateTexts(
  held: HeldMerge,
  tokenizer: Tokenizer,
  prompts: readonly string[],
  { until, ...options }: TextOptions,
): Promise<GeneratedText[]> {
  const { maxLength } = held.model;
  const { maxNewTokens, endIds, signal } = options;
  // An encoder's window is for the prompt alone.
  const room = held.model.encoding ? maxLength : maxLength - maxNewTokens;
  if (room < 1) {
    throw new UserError(
      `expected fewer new tokens than the ${maxLength} positions of the model, since the prompt needs some, found ${maxNewTokens}`,
    );
  }
  const stops = until.filter((stop) => stop !== "");
  const encoded = await tokenizer.prompts(prompts, signal);
  for (const [i, ids] of encoded.entries()) checkIds(prompts[i] ?? "", ids, held.model.vocabularySize);
  const look: GrowthOptions["look"] = async (texts) => {
    const soFar = await tokenizer.decode(
      texts.map(({ added }) => added),
      signal,
    );
    for (const [i, text] of texts.entries()) text.isOver ||= stops.some((stop) => soFar[i]?.includes(stop));
  };
  const kept = encoded.map((ids) => ids.subarray(Math.max(0, ids.length - room)));
  const added = await generateTokens(held, kept, { ...options, ...(stops.length > 0 && { look }) });
  const spoken = added.map((ids) => [...(endIds.has(ids.at(-1) ?? -1) ? ids.subarray(0, -1) : ids)]);
  const texts = await tokenizer.decode(spoken, signal);
  return texts.map((text, i) => ({
    text: stops.reduce((left, stop) => left.split(stop, 1)[0] ?? "", text),
    tokens: added[i]?.length ?? 0,
    isCut: (encoded[i]?.length ?? 0) > room,
  }));
}

function checkIds(prompt: string, ids: Int32Array, vocabularySize: number): void {
  if (ids.length === 0)
    throw new UserError(`prompt ${showUntrusted(prompt)}: expected at least one token, found none; give it some text`);
  const unknown = ids.find((id) => id >= vocabularySize);
  if (unknown === undefined) return;
  throw new UserError(
    `prompt ${showUntrusted(prompt.slice(-60))}: its token ${unknown} is not among the model's ${vocabularySize} embeddings; the tokenizer is another model's`,
  );
}
