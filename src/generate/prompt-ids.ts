/** Prompts as token ids, looked at before a model is merged. */
import { UserError } from "../errors.ts";
import { showUntrusted } from "../files/show-untrusted.ts";
import type { Model } from "../model/architecture.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";

/** What a model reads of a prompt. */
export interface PromptIds {
  /** At least one, and no more than leave room for the new tokens. */
  readonly ids: Int32Array;
  /** Whether the prompt lost its beginning: model and new tokens had no room for all of it. */
  readonly isCut: boolean;
}

export interface PromptOptions {
  readonly maxNewTokens: number;
  /** What messages call each of them; `prompt 1` and so on unless given. */
  readonly names?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Token ids of prompts, as lm_eval's `generate_until` has them: each keeps the end for which the model has room beside the new
 * tokens. UserErrors: no room for any prompt, a prompt without tokens, which nothing defines, or with one that the model lacks.
 */
export async function promptIds(
  { maxLength, encoding, vocabularySize }: Pick<Model, "maxLength" | "encoding" | "vocabularySize">,
  tokenizer: Tokenizer,
  prompts: readonly string[],
  { maxNewTokens, names = [], signal }: PromptOptions,
): Promise<PromptIds[]> {
  // An encoder's window is for the prompt alone.
  const room = encoding ? maxLength : maxLength - maxNewTokens;
  if (room < 1) {
    throw new UserError(
      `expected fewer new tokens than the ${maxLength} positions of the model, since the prompt needs some, found ${maxNewTokens}`,
    );
  }
  const encoded = await tokenizer.prompts(prompts, signal);
  return encoded.map((ids, i) => {
    checkIds(`${names[i] ?? `prompt ${i + 1}`}: ${showUntrusted(prompts[i]?.slice(-60))}`, ids, vocabularySize);
    return { ids: ids.subarray(Math.max(0, ids.length - room)), isCut: ids.length > room };
  });
}

function checkIds(prompt: string, ids: Int32Array, vocabularySize: number): void {
  if (ids.length === 0) throw new UserError(`${prompt}: expected at least one token, found none; give it some text`);
  const unknown = ids.find((id) => id >= vocabularySize);
  if (unknown === undefined) return;
  throw new UserError(
    `${prompt}: its token ${unknown} is not among the model's ${vocabularySize} embeddings; the tokenizer is another model's`,
  );
}
