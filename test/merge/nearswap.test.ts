import { expect, test } from "vitest";
import { input } from "../../src/device/expression.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { mergeTensor, type Scaled } from "../../src/merge/merge-tensor.ts";
import type { MergeStep } from "../../src/merge/recipe.ts";
import { f32, mergeOn, valuesOf } from "./merge-on.ts";

const base = f32([1, 1, 1, 1, 1]);
const expert = f32([1, 1.125, 2, 0.5, 0.9375]);
const family = { shape: [5], base, experts: { expert } };

function stepBy(t: number): MergeStep {
  return { method: "nearswap", values: { t: [t] } };
}

test("goes t at most towards the expert, and no further than that", async () => {
  await using device = await openGgml({ backend: "cpu" });
  const merged = await mergeOn(device, family, stepBy(0.25));
  expect([...valuesOf({ dtype: "f32", bytes: merged })]).toEqual([1, 1.125, 1.25, 0.75, 0.9375]);
});

test("has the derivative by t that elements have which end on the way", async () => {
  await using device = await openGgml({ backend: "cpu" });
  const models = {
    base: input(await device.upload(base.bytes, "f32", [5])),
    expert: input(await device.upload(expert.bytes, "f32", [5])),
  };
  const met: Scaled[] = [];
  mergeTensor({ models, base: "base", experts: ["expert"] }, stepBy(0.25), (scaled) => met.push(scaled));
  expect(met.map(({ factor }) => factor)).toEqual([[{ parameter: "t", expert: 0, slope: 1 }]]);
  const [direction] = await device.run(met.map(({ node }) => node.x));
  const [low, high] = [await mergeOn(device, family, stepBy(0.25)), await mergeOn(device, family, stepBy(0.3125))];
  const change = valuesOf({ dtype: "f32", bytes: high }).map(
    (value, k) => (value - valuesOf({ dtype: "f32", bytes: low })[k]!) / 0.0625,
  );
  // Without the sign of 0.
  const found = valuesOf({ dtype: "f32", bytes: await device.read(direction!) }).map((value) => value + 0);
  expect(found).toEqual(change);
});
