import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { TokenEncoder } from "../../../src/model/tokenizer/token-encoder.ts";
import { readTokenizerFiles } from "../../../src/model/tokenizer/tokenizer-file.ts";
import { pairs } from "./rewritten-tokenizers.ts";
import { altered } from "./tokenizer-folders.ts";

interface Case {
  readonly folder: string;
  readonly lacking: string;
  readonly besides: readonly string[];
  readonly settings: object;
  readonly ids: readonly (readonly number[])[];
}

/** Ids as the Rust library gives them. */
const { texts, cases }: { texts: readonly string[]; cases: readonly Case[] } = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "..", "fixtures", "model", "lacking-characters.json"), "utf8"),
);

async function encoderOf({ folder, lacking, besides, settings }: Case): Promise<TokenEncoder> {
  const changed = await altered(folder, "tokenizer.json", ({ model, added_tokens: added }) => {
    const kept = new Set(besides);
    const specials = new Set(added.map(({ content }) => content));
    const keeps = (token: string): boolean =>
      specials.has(token) || !(token.startsWith("<0x") || Array.from(lacking).some((one) => token.includes(one)));
    model.vocab = Object.fromEntries(Object.entries(model.vocab).filter(([token]) => keeps(token) || kept.has(token)));
    model.merges = pairs(model.merges).filter((merge) => merge.every(keeps));
    Object.assign(model, settings);
  });
  return new TokenEncoder(await readTokenizerFiles(changed));
}

test.each(
  cases.map(
    (each) =>
      [
        `${each.folder} without ${each.lacking}, ${JSON.stringify(each.besides).slice(0, 30)}, ${JSON.stringify(each.settings)}`,
        each,
      ] as const,
  ),
)("%s gives the ids of the Rust library", async (_, each) => {
  const encoder = await encoderOf(each);
  texts.forEach((text, i) => {
    expect([...encoder.encode(text, { special: false })], text).toEqual(each.ids[i]);
  });
});
