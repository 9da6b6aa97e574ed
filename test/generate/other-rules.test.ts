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

test.each([
  [undefined],
  [{}],
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
