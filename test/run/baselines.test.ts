import { describe, expect, test } from "vitest";
import { listBaselines } from "../../src/run/baselines.ts";
import { bestFirst } from "../../src/run/score-baselines.ts";
import type { MethodName } from "../../src/merge/declarations.ts";
import { stepAt } from "../../src/merge/recipe.ts";
import type { SearchSpace } from "../../src/space/search-space.ts";

function baselines(method: MethodName, ...experts: string[]): ReturnType<typeof listBaselines> {
  const space: SearchSpace = { method, groups: [], depth: { curve: "constant" }, parameters: {} };
  return listBaselines(space, { base: "base", experts, layers: 2 });
}

describe("listBaselines", () => {
  test("merges with one weight for all experts, in every group and layer", () => {
    const average = baselines("task_arithmetic", "a", "b", "c").find(({ kind }) => kind === "average")!;
    expect(average.weights).toEqual({ a: 1 / 3, b: 1 / 3, c: 1 / 3 });
    const values = { weight: [1 / 3, 1 / 3, 1 / 3] };
    for (const group of ["attention", "mlp", "norm", "embedding"]) {
      for (const weight of [{ group, layer: 0 }, { group, layer: 1 }, { group }]) {
        expect(stepAt(average.recipe, weight, ["a", "b", "c"])).toEqual({ method: "task_arithmetic", values });
      }
    }
  });

  test("takes parents as they are, and sweeps only where a base holds the merge together", () => {
    expect(baselines("task_arithmetic", "a").map(({ kind }) => kind)).toEqual([
      "parent",
      "parent",
      "average",
      ...Array<string>(7).fill("global"),
    ]);
    expect(baselines("linear", "a").map(({ name }) => name)).toEqual(["base", "a", "uniform average"]);
    expect(baselines("linear", "a")[1]).toEqual({
      name: "a",
      kind: "parent",
      recipe: { method: "passthrough", model: "a" },
    });
  });
});

describe("bestFirst", () => {
  test("orders by loss, keeps equals as they were and leaves out what is not finite", () => {
    const models = [Number.NaN, 2, 1, Infinity, 1].map((loss, index) => ({ loss, index }));
    expect(bestFirst(models).map(({ index }) => index)).toEqual([2, 4, 1]);
  });
});
