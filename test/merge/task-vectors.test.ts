import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { declarations, type MethodName } from "../../src/merge/declarations.ts";
import { isRandom } from "../../src/merge/method.ts";
import { taskVectorMethods } from "../../src/merge/methods/task-vectors.ts";
import type { MergeStep } from "../../src/merge/recipe.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { type Family, mergedSlopes, mergedValues } from "./merged-values.ts";

const methods = Object.keys(taskVectorMethods) as (keyof typeof taskVectorMethods)[];
const drawing = methods.filter((name) => isRandom(declarations[name]));

interface Dropped {
  readonly method: MethodName;
  readonly density: number;
  readonly epsilon?: number;
  readonly kept: number;
  readonly norm: number;
}

const fixture = join(import.meta.dirname, "..", "fixtures", "merge", "dropped.json");
const dropped = JSON.parse(readFileSync(fixture, "utf8")) as Dropped[];

/** Random tensors of three experts around a base. */
function familyOf(rows: number, columns: number, baseScale = 1): Family {
  const normal = (name: string, scale: number): Float32Array => {
    const stream = RandomStream.of(3, name);
    return Float32Array.from({ length: rows * columns }, () => scale * stream.normal());
  };
  const base = normal("base", baseScale);
  const experts = ["a", "b", "c"].map((name) => [name, normal(name, 0.5).map((x, i) => base[i]! + x)] as const);
  return { shape: [rows, columns], base, experts: Object.fromEntries(experts) };
}

function stepOf(method: MethodName, given: Partial<Record<string, readonly number[]>> = {}): MergeStep {
  const usual: Record<string, readonly number[]> = {
    weight: [0.4, 0.9, 0.6],
    density: [0.5, 0.7, 0.9],
    gamma: [0.02, 0.05, 0.1],
    epsilon: [0.1, 0.2, 0.05],
    lambda: [1.1, 1.1, 1.1],
  };
  const values = declarations[method].parameters.map(({ name }) => [name, given[name] ?? usual[name]!]);
  return { method, values: Object.fromEntries(values) as Record<string, number[]> };
}

function norm(values: Float32Array): number {
  return values.reduce((sum, value) => sum + Math.abs(value), 0);
}

function apart(one: Float32Array, other: Float32Array): number {
  return Math.max(...one.map((value, i) => Math.abs(value - other[i]!)));
}

describe("merges of sparse task vectors", () => {
  let device: Device;
  beforeAll(async () => {
    device = await openGgml({ backend: "cpu" });
  });
  afterAll(() => device[Symbol.asyncDispose]());

  test.each(dropped)("$method keeps as much as mergekit's does, by count and by norm", async (expected) => {
    const { method, density, epsilon = 0 } = expected;
    const all = familyOf(512, 256, 0);
    const family = { ...all, experts: { a: all.experts["a"]! } };
    const values = { weight: [1], density: [density], epsilon: [epsilon], lambda: [1] };
    const merged = await mergedValues(device, family, { ...stepOf(method, values), options: { normalize: false } });
    const kept = merged.filter((value) => value !== 0).length / merged.length;
    expect(Math.abs(kept - density)).toBeLessThan(5 * Math.sqrt((density * (1 - density)) / merged.length));
    // mergekit's own ranks in a row begin one lower.
    expect(Math.abs(kept - expected.kept)).toBeLessThan(0.02);
    expect(Math.abs(norm(merged) / norm(family.experts.a) - expected.norm)).toBeLessThan(0.02);
  });

  test.each(drawing)("%s draws by seed, weight and expert alone", async (method) => {
    const family = familyOf(6, 40);
    const step = stepOf(method);
    const merged = await mergedValues(device, family, { ...step, seed: 5 });
    expect(await mergedValues(device, family, { ...step, seed: 5 })).toEqual(merged);
    expect(await mergedValues(device, family, { ...step, seed: 6 })).not.toEqual(merged);
    expect(await mergedValues(device, family, { ...step, seed: 5 }, "v")).not.toEqual(merged);
    // As a recipe without one.
    expect(await mergedValues(device, family, step)).toEqual(await mergedValues(device, family, { ...step, seed: 0 }));
  });

  test.each(methods)("%s does not depend on the order of the experts", async (method) => {
    const family = familyOf(6, 40);
    const step = stepOf(method);
    const reversed = Object.fromEntries(Object.entries(family.experts).toReversed());
    const values = Object.fromEntries(Object.entries(step.values).map(([name, own]) => [name, own.toReversed()]));
    const [one, other] = [
      await mergedValues(device, family, step),
      await mergedValues(device, { ...family, experts: reversed }, { ...step, values }),
    ];
    expect(apart(one, other)).toBeLessThan(1e-6);
  });

  test.each(methods)("%s scales with its weights, unless it is divided by them", async (method) => {
    const family = familyOf(6, 40);
    for (const normalize of [true, false]) {
      const [one, other] = await Promise.all(
        [1, 2].map((by) => {
          const step = stepOf(method, { weight: [0.4, 0.9, 0.6].map((weight) => by * weight) });
          return mergedValues(device, family, { ...step, options: { normalize } });
        }),
      );
      const expected = normalize ? one! : one!.map((value, i) => family.base[i]! + 2 * (value - family.base[i]!));
      expect(apart(other!, expected)).toBeLessThan(2e-6);
    }
  });

  test.each(methods)("%s keeps an element of a tensor where its density would keep none", async (method) => {
    const family = familyOf(1, 3);
    const least = { density: [0.001, 0.001, 0.001], epsilon: [0, 0, 0], gamma: [0.999, 0.999, 0.999] };
    const merged = await mergedValues(device, family, stepOf(method, least));
    expect(merged.every(Number.isFinite)).toBe(true);
    const changed = merged.filter((value, i) => value !== family.base[i]).length;
    if (!drawing.some((name) => name === method)) expect(changed).toBeGreaterThan(0);
  });

  test.each(methods)("%s has the derivatives by weights and lambda that small steps say", async (method) => {
    const family = familyOf(5, 12);
    const stream = RandomStream.of(8, "seed");
    const seed = Float32Array.from({ length: 60 }, () => stream.normal());
    const lossAt = async (step: MergeStep): Promise<number> => {
      const merged = await mergedValues(device, family, step);
      return merged.reduce((sum, value, i) => sum + value * seed[i]!, 0);
    };
    for (const normalize of [true, false]) {
      const step = { ...stepOf(method), options: { normalize } };
      const slopes = await mergedSlopes(device, family, step, seed);
      // What decides which elements take part is constant.
      expect(Object.keys(slopes).toSorted()).toEqual(["lambda", "weight"]);
      for (const [name, own] of Object.entries(slopes)) {
        const isShared = declarations[method].parameters.find((spec) => spec.name === name)!.per === "model";
        for (const [expert, slope] of own.entries()) {
          if (isShared && expert > 0) continue;
          const moved = (by: number): MergeStep => ({
            ...step,
            values: {
              ...step.values,
              [name]: step.values[name]!.map((value, i) => (isShared || i === expert ? Number(value) + by : value)),
            },
          });
          const expected = ((await lossAt(moved(1e-3))) - (await lossAt(moved(-1e-3)))) / 2e-3;
          expect(Math.abs(slope - expected)).toBeLessThan(1e-2 * Math.max(1, Math.abs(expected)));
        }
      }
    }
  });
});
