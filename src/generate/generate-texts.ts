import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import { generateTokens, type GrowthOptions } from "./generate-tokens.ts";
import type { HeldMerge } from "./held-merge.ts";
import type { PromptIds } from "./prompt-ids.ts";

export interface TextOptions extends Omit<GrowthOptions, "look" | "onOver"> {
  /** A text ends before the first of these that it has, as lm_eval's `until`. */
  readonly until: readonly string[];
  /** Told each text when it is over, by the number of its prompt; others still grow then. */
  readonly onText?: ((prompt: number, text: GeneratedText) => void) | undefined;
}

/** What a model adds to a prompt. */
export interface GeneratedText extends Pick<PromptIds, "isCut"> {
  readonly text: string;
  /** How many tokens were generated, those that ended the text among them. */
  readonly tokens: number;
}

/**
 * Texts behind prompts, each token the most likely one, as lm_eval's `generate_until` without sampling: special tokens are left
 * out of the text, and it ends before the first of `until`.
 */
export async function generateTexts(
  held: HeldMerge,
  tokenizer: Tokenizer,
  prompts: readonly PromptIds[],
  { until, onText, ...options }: TextOptions,
): Promise<GeneratedText[]> {
  const { endIds, signal } = options;
  const stops = until.filter((stop) => stop !== "");
  const look: GrowthOptions["look"] = async (texts) => {
    const soFar = await tokenizer.decode(
      texts.map(({ added }) => added),
      signal,
    );
    for (const [i, text] of texts.entries()) text.isOver ||= stops.some((stop) => soFar[i]?.includes(stop));
  };
  const found = new Map<number, GeneratedText>();
  const onOver: GrowthOptions["onOver"] = async (over) => {
    const spoken = over.map(({ added }) => (endIds.has(added.at(-1) ?? -1) ? added.slice(0, -1) : added));
    const decoded = await tokenizer.decode(spoken, signal);
    for (const [i, { prompt, added }] of over.entries()) {
      const text = stops.reduce((left, stop) => left.split(stop, 1)[0] ?? "", decoded[i] ?? "");
      const own = { text, tokens: added.length, isCut: prompts[prompt]!.isCut };
      found.set(prompt, own);
      onText?.(prompt, own);
    }
  };
  const ids = prompts.map((prompt) => prompt.ids);
  await generateTokens(held, ids, { ...options, onOver, ...(stops.length > 0 && { look }) });
  return ids.map((_, prompt) => found.get(prompt)!);
}
