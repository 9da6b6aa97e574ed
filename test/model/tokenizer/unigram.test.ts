import { readFileSync } from "node:fs";
import { join } from "node:path";
import { assert, double, property } from "fast-check";
import { expect, test } from "vitest";
import { numberInRust } from "../../../src/model/tokenizer/number-in-rust.ts";
import { Unigram } from "../../../src/model/tokenizer/unigram.ts";

interface Case {
  readonly vocab: readonly (readonly [piece: string, score: number])[];
  /** The scores as the Rust library reads them. */
  readonly read: readonly number[];
  readonly ids: readonly number[];
}

const cases: readonly Case[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "..", "fixtures", "model", "unigram-scores.json"), "utf8"),
);

test("scores are those that the Rust library reads, and decide as there", () => {
  for (const { vocab, read, ids } of cases) {
    expect(vocab.map(([, score]) => numberInRust(score))).toEqual(read);
    expect(new Unigram(vocab, 0).encode("ab"), JSON.stringify(vocab)).toEqual(ids);
  }
  const off = cases.filter(({ vocab, read }) => vocab.some(([, score], i) => score !== read[i]));
  expect(off.length).toBeGreaterThan(10);
});

test("a number is read as itself or as one beside it", () => {
  assert(
    property(double({ noNaN: true, noDefaultInfinity: true }), (number) => {
      const read = numberInRust(number);
      expect(Math.abs(read - number)).toBeLessThanOrEqual(2 ** -51 * Math.abs(number) + Number.MIN_VALUE);
    }),
  );
});
