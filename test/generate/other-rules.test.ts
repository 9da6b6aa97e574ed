import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { noticeOfOtherRules } from "../../src/generate/other-rules.ts";
import { temporaryFolder } from "../temporary-folder.ts";

async function notice(config?: object): Promise<string | undefined> {
  const folder = await temporaryFolder();
  if (config) await writeFile(join(folder, "generation_config.json"), JSON.stringify(config));
  return noticeOfOtherRules(folder);
}

/** All fields of generation_config.json (test/fixtures/model/make-config-fields.py). */
const { generation_config: fields } = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "fixtures", "model", "config-fields.json"), "utf8"),
) as Readonly<Record<string, readonly string[]>>;

/** Those that leave greedy texts as they are, or are followed here. */
const indifferent = [
  // Sampling, several beams, and words for what `num_beams` asks.
  ["do_sample", "temperature", "top_k", "top_p", "top_h", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff"],
  ["early_stopping", "length_penalty", "diversity_penalty", "num_return_sequences", "renormalize_logits"],
  // Guesses of next tokens, which are checked.
  ["assistant_confidence_threshold", "assistant_early_exit", "assistant_ensemble_weight", "assistant_lookbehind"],
  ["target_lookbehind", "is_assistant", "max_matching_ngram_size", "num_assistant_tokens"],
  ["num_assistant_tokens_schedule", "prompt_lookup_num_tokens", "speculation_type", "use_mtp"],
  // How transformers computes, and what it returns.
  ["cache_config", "cache_implementation", "compile_config", "continuous_batching_config", "disable_compile"],
  ["low_memory", "max_cache_len", "prefill_chunk_size", "use_cache", "remove_invalid_values"],
  ["output_attentions", "output_hidden_states", "output_logits", "output_scores", "return_dict_in_generate"],
  ["transformers_version"],
  // Where a text begins and ends, which whoever asks for it says.
  ["bos_token_id", "decoder_start_token_id", "eos_token_id", "pad_token_id", "max_length", "max_new_tokens"],
].flat();

test("every field of generation_config.json is named in the notice, or known to change nothing", async () => {
  const unnamed: string[] = [];
  for (const field of fields!) if ((await notice({ [field]: 1.5 })) === undefined) unnamed.push(field);
  expect(unnamed).toEqual(indifferent.toSorted());
});

test.each([
  [undefined],
  [{}],
  [{ guidance_scale: 1, watermarking_config: null, penalty_alpha: null, token_healing: false, num_beam_groups: 1 }],
  [{ repetition_penalty: 1, num_beams: 1, suppress_tokens: [], min_length: 0, forced_eos_token_id: null }],
  [{ do_sample: true, temperature: 0.6, top_p: 0.9, eos_token_id: [1, 2], max_length: 4096 }],
])("says nothing of %j", async (config) => {
  expect(await notice(config)).toBeUndefined();
});

test("names what transformers would follow", async () => {
  expect(await notice({ repetition_penalty: 1.1, num_beams: 4, bad_words_ids: [[3]] })).toMatch(
    /generation_config\.json: repetition_penalty 1\.1, num_beams 4, bad_words_ids .*: not followed here/,
  );
});
