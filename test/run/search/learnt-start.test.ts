import { expect, test } from "vitest";
import { learntStart } from "../../../src/run/search/learnt-start.ts";
import { pack } from "../../../src/tensor/packed.ts";

function learntOf(mean: readonly number[], covariance: readonly number[]): ReturnType<typeof learntStart> {
  const learnt = { mean: pack(Float32Array.from(mean)), covariance: pack(Float32Array.from(covariance)) };
  const taken = { recipe: "winner-of-a", splitSeed: 1, learnt };
  const start = { run: "a", take: "distribution", taken } as const;
  return learntStart({ experiment: { start }, genome: { dimension: 2 } });
}

test("a distribution has covariances or variances of the genes", () => {
  expect(learntOf([0, 1], [0.25, 0, 0.5])).toEqual({
    mean: Float64Array.of(0, 1),
    covariance: Float64Array.of(0.25, 0, 0.5),
  });
  expect(learntOf([0.5, 0.5], [0.25, 0.5])).toBeDefined();
  expect(learntStart({ experiment: {}, genome: { dimension: 2 } })).toBeUndefined();
});

test.each([
  ["a mean of fewer genes", [0.5], [1, 0, 1]],
  ["a mean outside the space", [0.5, 1.5], [1, 0, 1]],
  ["covariances of more genes", [0.5, 0.5], [1, 0, 1, 0]],
  ["a variance of 0", [0.5, 0.5], [1, 0, 0]],
  ["a variance below 0", [0.5, 0.5], [-1, 1]],
])("a journal is refused that has %s", (_, mean, covariance) => {
  expect(() => learntOf(mean, covariance)).toThrow(
    "expected a mean and covariances of 2 genes, found others; restore the journal from a copy or start a new run",
  );
});
