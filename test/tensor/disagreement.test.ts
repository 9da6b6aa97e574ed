import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { StoredValues } from "../../src/tensor/stored-values.ts";
import { fromFloat32 } from "../../src/tensor/half.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { disagreementsOf } from "../../src/tensor/disagreement.ts";

const { fround } = Math;

function f32(values: readonly number[]): StoredValues {
  return { dtype: "f32", bytes: fromFloat32(Float32Array.from(values), "f32") };
}

/** Rounded after each operation, as an engine does. */
function varianceOf(added: readonly number[]): number {
  const part = fround(1 / added.length);
  const sum = (terms: readonly number[]): number => terms.reduce((total, term) => fround(total + term), 0);
  const mean = fround(sum(added) * part);
  return fround(sum(added.map((own) => fround(fround(own - mean) ** 2))) * part);
}

const family = fc.record({
  length: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constant(17_000)),
  experts: fc.integer({ min: 2, max: 4 }),
  /** Where experts agree with each other: nowhere, or at this part of the elements. */
  agreeing: fc.constantFrom(0, 0.5),
  /** Coarse values have equal variances. */
  digits: fc.constantFrom(0, 8, 23),
  seed: fc.nat(),
  shares: fc.array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 1, maxLength: 5 }),
});

test("a share is of the elements that differ, those with the largest variances", async () => {
  await fc.assert(
    fc.asyncProperty(family, async ({ length, experts, agreeing, digits, seed, shares }) => {
      const stream = RandomStream.of(seed, "disagreement");
      const draw = (): number => fround(Math.round(stream.normal() * 2 ** digits) / 2 ** digits);
      const base = Array.from({ length }, draw);
      const all = Array.from({ length: experts }, () => [] as number[]);
      for (const own of base) {
        const isSame = stream.uniform() < agreeing;
        const same = fround(own + draw());
        for (const expert of all) expert.push(isSame ? same : fround(own + draw()));
      }
      const added = base.map((own, k) => all.map((expert) => fround(expert[k]! - own)));
      const variances = added.map(varianceOf);
      const differing = variances.filter((own) => own > 0).toSorted((x, y) => y - x);
      const found = await disagreementsOf(f32(base), all.map(f32), [...shares, 1]);
      for (const [i, share] of [...shares, 1].entries()) {
        const least = differing[Math.max(1, Math.floor(share * differing.length)) - 1] ?? Number.POSITIVE_INFINITY;
        const isMeant = (k: number): boolean => share >= 1 || variances[k]! >= least;
        expect(variances.map((own) => own > found[i]!.above)).toEqual(variances.map((_, k) => isMeant(k)));
        const squares = all.map((_, e) => added.reduce((sum, own, k) => sum + (isMeant(k) ? own[e]! ** 2 : 0), 0));
        for (const [e, square] of squares.entries())
          expect(Math.abs(found[i]!.squares[e]! - square)).toBeLessThanOrEqual(1e-12 * square);
      }
    }),
    { numRuns: 15 },
  );
});

test("experts that agree everywhere have no element with the largest variances", async () => {
  const [base, expert] = [f32([1, 2]), f32([2, 4])];
  const [part, whole] = await disagreementsOf(base, [expert, expert], [0.5, 1]);
  expect(part!.squares).toEqual([0, 0]);
  expect(whole!.squares).toEqual([5, 5]);
});
