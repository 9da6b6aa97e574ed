import { describe, expect, test } from "vitest";
import { defaultPopulationSize, strategyParameters } from "../../src/search/strategy-parameters.ts";

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

describe("strategy parameters", () => {
  test.each([
    [1, 4],
    [2, 6],
    [10, 10],
    [27, 13],
    [288, 20],
  ])("the default population in %i dimensions is %i", (n, populationSize) => {
    expect(defaultPopulationSize(n)).toBe(populationSize);
  });

  test.each(
    [1, 2, 10, 300].flatMap((n) => [2, 3, 4, 11, 50, 1000].map((populationSize) => [n, populationSize] as const)),
  )("are admissible in %i dimensions with %i candidates", (n, populationSize) => {
    const { weights, c1, cMu, cC, cSigma, muEff, eigenInterval } = strategyParameters(n, populationSize);
    const positive = weights.filter((weight) => weight > 0);
    expect(sum(positive)).toBeCloseTo(1, 12);
    expect(muEff).toBeCloseTo(1 / sum(positive.map((weight) => weight * weight)), 9);
    expect(weights).toEqual(weights.toSorted((a, b) => b - a));
    const negative = weights.filter((weight) => weight < 0);
    const muEffMinus = sum(negative) ** 2 / sum(negative.map((weight) => weight * weight)) || 0;
    const limits = [1 + c1 / cMu, 1 + (2 * muEffMinus) / (muEff + 2), (1 - c1 - cMu) / (n * cMu)]; // (50) to (52)
    expect(-sum(negative)).toBeCloseTo(Math.min(...limits), 9);
    for (const rate of [c1, cMu, cC, cSigma]) {
      expect(rate).toBeGreaterThan(0);
      expect(rate).toBeLessThanOrEqual(1);
    }
    expect(c1 + cMu).toBeLessThanOrEqual(1);
    expect(Number.isSafeInteger(eigenInterval) && eigenInterval >= 1).toBe(true);
  });

  test("put the eigendecomposition off in high dimensions", () => {
    expect(strategyParameters(10, 10).eigenInterval).toBe(1);
    expect(strategyParameters(288, 20).eigenInterval).toBe(2);
    expect(strategyParameters(1000, 24).eigenInterval).toBe(7);
  });
});
