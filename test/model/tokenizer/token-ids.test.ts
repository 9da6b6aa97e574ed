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

function sha256(values: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(values)).digest("hex").slice(0, 12);
}
