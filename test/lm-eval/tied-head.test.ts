import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tiedHead } from "../../src/lm-eval/tied-head.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyConfig } from "../tiny-model.ts";
import { tinyT5Config } from "../tiny-t5.ts";

test.each([
  ["a T5 with a head of its own", tinyT5Config(), true],
  [
    "one as version 5 of transformers saves it",
    tinyT5Config({ tie_word_embeddings: true, scale_decoder_outputs: false }),
    true,
  ],
  ["a T5 whose head is its embedding", tinyT5Config({ tie_word_embeddings: true }), false],
  ["a Llama with a head of its own", tinyConfig({ tied: false }), false],
  ["an adapter", undefined, false],
])("of %s it is said that lm_eval ties its head: %#", async (_, config, isSaid) => {
  const folder = await temporaryFolder();
  if (config) await writeFile(join(folder, "config.json"), JSON.stringify(config));
  const said = await tiedHead("flan", folder);
  if (isSaid) expect(said).toMatch(/^flan: under transformers 5, lm_eval 0\.4\.13 scores a T5 with its embedding/);
  else expect(said).toBeUndefined();
});
