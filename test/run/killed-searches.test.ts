import { describe, expect, test } from "vitest";
import { recorded } from "../tiny-experiment.ts";
import { killAndCompare, KILLS, timeoutFor } from "./kill-and-compare.ts";

describe("a run", () => {
  test(
    `that is given more budget twice leaves the same too, killed at ${KILLS / 5} moments`,
    () => killAndCompare(KILLS / 5, 5, { budgets: [{ evaluations: 10 }, { evaluations: 20 }] }),
    timeoutFor(KILLS),
  );

  const columns = { method: "task_arithmetic", groups: "all", depth: "constant", columns: true };
  test.each([
    ["gradient-walk", {}],
    ["gradient-walk", { space: columns }],
    ["lineages", {}],
    ["sep-cma-es", {}],
    ["random", {}],
  ])(
    `that %s steers, in %j, leaves the same genes, losses, gradients and weights, killed at ${KILLS / 10} moments`,
    async (algorithm, space) => {
      await killAndCompare(KILLS / 10, 36, { search: { algorithm, rowFraction: 0.5 }, ...space });
    },
    timeoutFor(KILLS),
  );

  test(
    `that begins again where its search has converged leaves the same, killed at ${KILLS / 10} moments`,
    async () => {
      const search = { algorithm: "cma-es", population: 4, rowFraction: 1 };
      const space = { method: "task_arithmetic", groups: "all", depth: "constant" };
      const whole = await killAndCompare(KILLS / 10, 130, { search, space, model: { dtype: "f32" } });
      expect(new Set(recorded(whole, "result").map(({ losses }) => losses.length)).size).toBeGreaterThan(1);
    },
    timeoutFor(KILLS),
  );
});
