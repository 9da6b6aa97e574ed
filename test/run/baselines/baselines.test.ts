import { describe, expect, test } from "vitest";
import { bestFirst, listBaselines, withSweepOf } from "../../../src/run/baselines/baselines.ts";
import { openGgml } from "../../../src/device/ggml/engine.ts";
import { declarationOf, declarations, methodNames, type MethodName } from "../../../src/merge/declarations.ts";
import { isMerge, stepAt } from "../../../src/merge/recipe.ts";
import type { KnotRecipe } from "../../../src/space/knot-recipe.ts";
import type { SearchSpace } from "../../../src/space/search-space.ts";
import { f32, mergeOn, valuesOf } from "../../merge/merge-on.ts";
import { tinyModel } from "../../tiny-model.ts";

const parents = { base: "base", model: tinyModel({ layers: 2 }) };

function spaceOf(method: MethodName): SearchSpace {
  return { method, groups: [], depth: { curve: "constant" }, parameters: {} };
}

function baselines(method: MethodName, ...experts: string[]): ReturnType<typeof listBaselines> {
  return listBaselines({ space: spaceOf(method) }, { ...parents, experts });
}

describe("listBaselines", () => {
  test("merges with one weight for all experts, in every group and layer", () => {
    const average = baselines("task_arithmetic", "a", "b", "c").find(({ kind }) => kind === "average")!;
    const values = { weight: [1 / 3, 1 / 3, 1 / 3] };
    for (const group of ["attention", "mlp", "norm", "embedding"]) {
      for (const place of [{ layer: 0 }, { layer: 1 }, {}]) {
        const weight = { name: "any", tensor: "any", group, ...place };
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

  test("averages as linear does where the space's method merges on a sphere", () => {
    const all = baselines("nuslerp", "a", "b");
    expect(all.map(({ name }) => name)).toEqual(["base", "a", "b", "uniform average"]);
    expect(all.at(-1)!.recipe).toMatchObject({ method: "linear" });
  });

  test("averages as linear does where the space's method makes differences sparse, and sweeps what scales them", () => {
    const all = baselines("dare_linear", "a", "b");
    expect(all.find(({ kind }) => kind === "average")!.recipe).toMatchObject({ method: "linear" });
    const weight = { name: "any", tensor: "any", group: "mlp", layer: 1 };
    const swept = (name: MethodName, label: string): unknown => {
      const { recipe } = baselines(name, "a", "b").find((baseline) => baseline.name === label)!;
      return stepAt(recipe, weight, ["a", "b"]);
    };
    expect(swept("dare_linear", "global weight 0.4")).toEqual({
      method: "dare_linear",
      values: { weight: [0.4, 0.4], density: [0.5, 0.5], lambda: [1, 1] },
    });
    // Divided by their sum, equal weights are all the same.
    expect(swept("ties", "global lambda 0.4")).toMatchObject({ values: { weight: [0.8, 0.8], lambda: [0.4, 0.4] } });
  });

  test("sweeps nothing where the space's method has no weight", () => {
    expect(baselines("sce", "a", "b").map(({ name }) => name)).toEqual(["base", "a", "b", "uniform average"]);
  });

  test("names a sweep by what it varies, and shortens it to the values that are worth most", () => {
    const swept = (method: MethodName): string[] =>
      withSweepOf(2, baselines(method, "a", "b")).flatMap(({ kind, name }) => (kind === "global" ? [name] : []));
    expect(swept("della")).toEqual(["global lambda 0.6", "global lambda 0.8"]);
    expect(swept("task_arithmetic")).toEqual(["global weight 0.6", "global weight 0.8"]);
    expect(withSweepOf(0, baselines("ties", "a")).map(({ name }) => name)).toEqual(["base", "a", "uniform average"]);
  });

  test("lists merges that exist, each once, whatever the method of the space", async () => {
    await using device = await openGgml({ backend: "cpu" });
    const searchable = methodNames.filter((method) => declarations[method].parameters.length > 0);
    const values = { a: [1, -2, 3, 0.5, 1, 1], b: [1, 2, -1, 0.25, -3, 2], c: [2, 1, 1, -0.5, 1, 4] };
    const base = f32([1, 1, 1, -1, 2, 3]);
    for (const method of searchable) {
      const { least = 1, most = 3 } = declarations[method].experts ?? {};
      const experts = Object.keys(values).slice(0, Math.max(least, most));
      const all = baselines(method, ...experts);
      for (const part of [all.map(({ name }) => name), all.map(({ recipe }) => JSON.stringify(recipe))])
        expect(new Set(part).size).toBe(all.length);
      const named = experts.map((name) => [name, f32(values[name as keyof typeof values])] as const);
      const family = { shape: [2, 3], base, experts: Object.fromEntries(named) };
      for (const { name, recipe } of all) {
        const taken = isMerge(recipe) ? declarationOf(recipe.method).parameters.map((parameter) => parameter.name) : [];
        expect(isMerge(recipe) ? Object.keys(recipe.parameters) : [], `${method}: ${name}`).toEqual(taken);
        const step = stepAt(recipe, { name: "w", tensor: "w", group: "mlp", layer: 0 }, experts);
        const merged = valuesOf({ dtype: "f32", bytes: await mergeOn(device, family, step) });
        expect(merged.every(Number.isFinite), `${method}: ${name}`).toBe(true);
      }
    }
  });

  test("adds the given recipes in their own methods, last", () => {
    const tilt = { attention: [0, 1], mlp: [0.5], norm: [0.5], embedding: [0.5] };
    const recipes: Record<string, KnotRecipe> = { tilted: { method: "linear", parameters: { weight: { a: tilt } } } };
    const all = listBaselines({ space: spaceOf("task_arithmetic"), recipes }, { ...parents, experts: ["a"] });
    expect(all.slice(0, -1)).toEqual(baselines("task_arithmetic", "a"));
    expect(all.at(-1)).toMatchObject({ name: "tilted", kind: "recipe", recipe: { method: "linear" } });
    expect(
      stepAt(all.at(-1)!.recipe, { name: "q_proj", tensor: "q_proj", group: "attention", layer: 1 }, ["a"]),
    ).toMatchObject({
      values: { weight: [1] },
    });
  });
});

describe("bestFirst", () => {
  test("orders by loss, keeps equals as they were and leaves out what is not finite", () => {
    const models = [Number.NaN, 2, 1, Infinity, 1].map((loss, index) => ({ loss, index }));
    expect(bestFirst(models).map(({ index }) => index)).toEqual([2, 4, 1]);
  });
});
