/** What a folder asks of generation beyond the most likely token, and greedy texts here do without. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readJsonObject } from "../files/json-object.ts";
import { showUntrusted } from "../files/show-untrusted.ts";

/** Fields of generation_config.json that change greedy texts in transformers, each with what changes nothing; NaN is nothing. */
const idle: Readonly<Record<string, number | boolean>> = {
  repetition_penalty: 1,
  encoder_repetition_penalty: 1,
  no_repeat_ngram_size: 0,
  encoder_no_repeat_ngram_size: 0,
  min_length: 0,
  min_new_tokens: 0,
  num_beams: 1,
  num_beam_groups: 1,
  penalty_alpha: 0,
  guidance_scale: 1,
  token_healing: false,
  forced_bos_token_id: Number.NaN,
  forced_eos_token_id: Number.NaN,
  suppress_tokens: Number.NaN,
  begin_suppress_tokens: Number.NaN,
  bad_words_ids: Number.NaN,
  sequence_bias: Number.NaN,
  exponential_decay_length_penalty: Number.NaN,
  stop_strings: Number.NaN,
  watermarking_config: Number.NaN,
  constraints: Number.NaN,
  force_words_ids: Number.NaN,
  dola_layers: Number.NaN,
  max_time: Number.NaN,
};

/** A notice of fields that transformers and lm_eval would follow; undefined where there are none. */
export async function noticeOfOtherRules(folder: string): Promise<string | undefined> {
  const file = join(folder, "generation_config.json");
  if (!existsSync(file)) return undefined;
  const config = await readJsonObject(file);
  const asked = Object.entries(idle).flatMap(([name, without]) => {
    const value = config[name] ?? without;
    const isIdle = Object.is(value, without) || (Array.isArray(value) && value.length === 0);
    return isIdle ? [] : [`${name} ${showUntrusted(value)}`];
  });
  if (asked.length === 0) return undefined;
  return `${file}: ${asked.join(", ")}: not followed here, where each token is the most likely one; texts of transformers and lm_eval are others`;
}
