import { readFileSync } from "node:fs";

import { join } from "node:path";
import { expect, test } from "vitest";
import { TokenEncoder } from "../../../src/model/tokenizer/token-encoder.ts";
import { readTokenizerFiles } from "../../../src/model/tokenizer/tokenizer-file.ts";
import { changedFolder, type Change } from "./tokenizer-folders.ts";

interface Case {
  readonly folder: string;
  readonly changes: readonly Change[];
  readonly prefix: number;
  readonly special: readonly (readonly number[])[];
  readonly plain: readonly (readonly number[])[];
}

/** Ids as lm_eval's `hf` model gives them. */
const { texts, cases }: { texts: readonly string[]; cases: readonly Case[] } = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "..", "fixtures", "model", "tokenizer-classes.json"), "utf8"),
);

test.each(cases.map((each) => [`${each.folder} ${JSON.stringify(each.changes).slice(0, 160)}`, each] as const))(
  "gives the ids of lm_eval: %s",
  async (_, { folder, changes, special, plain }) => {
    const encoder = new TokenEncoder(await readTokenizerFiles(await changedFolder(folder, changes)));
    const ours = texts.map((text) => [text, [...encoder.encode(text)], [...encoder.encode(text, { special: false })]]);
    expect(ours).toEqual(texts.map((text, i) => [text, special[i], plain[i]]));
  },
);
