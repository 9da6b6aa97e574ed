import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { TokenEncoder } from "../../../src/model/tokenizer/token-encoder.ts";
import type { TokenizerFile } from "../../../src/model/tokenizer/tokenizer-file.ts";

interface Case {
  readonly name: string;
  readonly file: TokenizerFile;
  /** None where the library raises an error. */
  readonly ids: readonly (readonly number[] | null)[];
}

/** Ids as the Rust library gives them. */
const { texts, cases }: { texts: readonly string[]; cases: readonly Case[] } = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "..", "fixtures", "model", "unknown-parts.json"), "utf8"),
);

test.each(cases.map((each) => [each.name, each] as const))(
  "parts without a token become what they do in the Rust library: %s",
  (_, { file, ids }) => {
    const encoder = encoderOf(file);
    const found = texts.map((text) => {
      try {
        return [...encoder.encode(text)];
      } catch (error) {
        expect((error as Error).message).toMatch(/^it has a part for which there is no token/);
        return null;
      }
    });
    expect(found).toEqual(ids);
  },
);

test("an unknown piece that is none is refused", () => {
  const { file } = cases.find(({ name }) => name === "pieces by likelihood")!;
  expect(() => encoderOf({ ...file, model: { ...file.model, unk_id: 5 } })).toThrow(
    "model: unk_id: expected the id of one of 5 pieces, found 5",
  );
});

function encoderOf(file: Case["file"]): TokenEncoder {
  return new TokenEncoder({ file, config: {} });
}
