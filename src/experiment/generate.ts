import type { EngineName } from "../device/engine-names.ts";
import { OutOfMemory } from "../errors.ts";
import { endIdsOf } from "../generate/end-ids.ts";
import { noticeOfForgetfulCaches } from "../generate/forgetful-caches.ts";
import { noticeOfOtherRules } from "../generate/other-rules.ts";
import { generateTexts, type GeneratedText } from "../generate/generate-texts.ts";
import { holdMerge } from "../generate/held-merge.ts";
import { promptIds } from "../generate/prompt-ids.ts";
import type { Hub } from "../hub/api/hub.ts";
import type { Model } from "../model/architecture.ts";
import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import type { Precision } from "./experiment.ts";
import { type ModelToScore, parentsToScore } from "./parents-to-score.ts";
import { productDtypes } from "./precision.ts";
import type { SourceOptions } from "./sources.ts";
import { BASE, baseOf } from "./the-base.ts";
import { openWorkspace } from "./workspace.ts";

export interface GenerateOptions extends ModelToScore {
  readonly prompts: readonly string[];
  /** Whether each prompt is a turn of a chat, by the template of the model's tokenizer, up to where its answer begins. */
  readonly applyChatTemplate?: boolean | undefined;
  /** What messages call each prompt; `prompt 1` and so on unless given. */
  readonly names?: readonly string[] | undefined;
  /** The most tokens behind each prompt; 64 unless given. */
  readonly maxNewTokens?: number | undefined;
  /** Texts end before the first of these that they have; none unless given. */
  readonly until?: readonly string[] | undefined;
  /** "auto" unless given. */
  readonly engine?: EngineName | undefined;
  /** Of matrix products; "auto" unless given. */
  readonly precision?: Exclude<Precision, "mixed"> | undefined;
  /** Where the model comes from if it is not on this machine; the environment's unless given. */
  readonly hub?: Hub | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told each text when it is over, by the number of its prompt from 0; others may still be under way then. */
  readonly onText?: ((prompt: number, text: GeneratedText) => void) | undefined;
  /** Told the share that is done, at most, since texts may end early. */
  readonly onProgress?: ((share: number) => void) | undefined;
  /** Told what a person should know, such as a better engine that does not work here. */
  readonly onNotice?: SourceOptions["onNotice"];
  /** Told how far the model's download is. */
  readonly onFetching?: SourceOptions["onProgress"];
}

const NEW_TOKENS = 64;
const ROOM_FOR_TEXTS =
  "give it fewer prompts at once, or fewer new tokens (--max-new-tokens), or use another device (--engine)";

/**
 * Texts that a model adds to prompts, greedily, in the order of the prompts. The model is on the device as a whole; a
 * UserError says so where it does not fit.
 */
export async function generate(options: GenerateOptions): Promise<GeneratedText[]> {
  const { prompts, maxNewTokens = NEW_TOKENS, until = [], engine = "auto", precision = "auto" } = options;
  const { hub, signal, onNotice, onText, onProgress, onFetching } = options;
  if (prompts.length === 0) return [];
  const { scored, ...parents } = await parentsToScore(options, { hub, signal, onNotice, onProgress: onFetching });
  await using workspace = await openWorkspace({ ...parents, engine, precision }, { signal, onNotice });
  const endIds = await endIdsOf(parents.base);
  const { device, model, weights, experts, tokenizer } = workspace;
  const { config } = baseOf(workspace.checkpoints);
  const notices = [await noticeOfOtherRules(parents.base), noticeOfForgetfulCaches(config, model)];
  for (const notice of notices) if (notice !== undefined) onNotice?.(notice);
  const merging = { device, model, parents: weights, base: BASE, experts };
  const recipe = { method: "passthrough", model: scored } as const;
  const asked = options.applyChatTemplate === true ? await inChats(prompts, tokenizer, signal) : prompts;
  const ids = await promptIds(model, tokenizer, asked, { ...options, maxNewTokens });
  const cut = ids.filter(({ isCut }) => isCut).length;
  if (cut > 0)
    onNotice?.(`${cut} of ${ids.length} prompts lose their beginning, as in lm_eval: ${roomIn(model, maxNewTokens)}`);
  const held = await holdMerge(merging, recipe, { precision: productDtypes(workspace.precision).exact, signal });
  try {
    const onGrowth = (added: number): void => onProgress?.(added / (prompts.length * maxNewTokens));
    const growing = { maxNewTokens, until, endIds, signal, onText, onProgress: onGrowth };
    return await OutOfMemory.advising(ROOM_FOR_TEXTS, () => generateTexts(held, tokenizer, ids, growing));
  } finally {
    held.free();
  }
}

function roomIn({ encoding, maxLength }: Model, maxNewTokens: number): string {
  const room = encoding ? maxLength : maxLength - maxNewTokens;
  return `there is room for ${room} tokens${encoding ? "" : `, and for ${maxNewTokens} new ones (--max-new-tokens)`}`;
}

function inChats(prompts: readonly string[], tokenizer: Tokenizer, signal?: AbortSignal): Promise<string[]> {
  return tokenizer.renderChats(
    prompts.map((content) => [{ role: "user", content }]),
    signal,
  );
}
