import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ComparedText } from "../../src/rouge/common-subsequence.ts";

/** As rouge_score does it: the whole table of lengths, read from its end. */
function byTable(a: readonly string[], b: readonly string[]): number[] {
  const table = [Array.from({ length: b.length + 1 }, () => 0)];
  for (const word of a) {
    const [above, row] = [table.at(-1)!, [0]];
    for (const [j, other] of b.entries()) row.push(word === other ? above[j]! + 1 : Math.max(above[j + 1]!, row[j]!));
    table.push(row);
  }
  const indices: number[] = [];
  for (let [i, j] = [a.length, b.length]; i > 0 && j > 0;) {
    if (a[i - 1] === b[j - 1]) {
      indices.unshift((i -= 1));
      j -= 1;
    } else if (table[i]![j - 1]! > table[i - 1]![j]!) j -= 1;
    else i -= 1;
  }
  return indices;
}

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
