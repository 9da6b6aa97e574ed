import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { TokenEncoder } from "../../../src/model/tokenizer/token-encoder.ts";
import { readTokenizerFiles } from "../../../src/model/tokenizer/tokenizer-file.ts";
import { folderOfKind, kinds } from "./token-kinds.ts";
import { tokenLines } from "./token-lines.ts";

const texts = tokenLines(kinds.seed, kinds.lines);

test.each(Object.entries(kinds.digests))("5,000 lines have the ids of Rust: %s", async (kind, digests) => {
  const encoder = new TokenEncoder(await readTokenizerFiles(await folderOfKind(kind)));
  const ids = texts.map((text) => [...encoder.encode(text)]);
  const found = digests.map((_, i) => sha256(ids.slice(kinds.block * i, kinds.block * (i + 1))));
  expect(new Set(texts).size).toBeGreaterThan(4900);
  // By line: test/parity/token-ids.sh.
  expect(found).toEqual(digests);
});

test("a T5 has as many sentinels as it says", () => {
  const file = { ...kinds.folders["t5"]!["tokenizer.json"], model: kinds.models["t5"]!, added_tokens: [] };
  const sizeWith = (count: unknown): number =>
    new TokenEncoder({ file, config: { extra_ids: count }, model: { model_type: "t5" } }).range.size;
  expect([4, 100, 104].map(sizeWith)).toEqual([800, 800, 804]);
  expect(() => sizeWith(1e9)).toThrow("extra_ids: expected 0 to 10000, found 1000000000");
});

function sha256(values: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(values)).digest("hex").slice(0, 12);
}
