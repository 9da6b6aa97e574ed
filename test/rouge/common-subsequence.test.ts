import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ComparedText } from "../../src/rouge/common-subsequence.ts";
import { byTable } from "./by-table.ts";

const texts = fc
  .integer({ min: 1, max: 12 })
  .chain((kinds) => fc.array(fc.nat(kinds).map(String), { maxLength: 100, size: "max" }));

describe("the longest common subsequence", () => {
  test("is the one that rouge_score reads out of its table, of any lengths", () => {
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        const expected = byTable(a, b);
        const compared = new ComparedText(b);
        expect(compared.commonIndices(a)).toEqual(expected);
        expect(compared.commonLength(a)).toBe(expected.length);
        // Nothing is left over from a comparison.
        expect(compared.commonIndices(a)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });
});
