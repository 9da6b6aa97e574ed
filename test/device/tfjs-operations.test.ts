import { describe, expect, test } from "vitest";
import type { Device, DeviceTensor } from "../../src/device/device.ts";
import { add, input, scale, sub, type Expression } from "../../src/device/expression.ts";
import { openTfjs } from "../../src/device/tfjs/open-tfjs.ts";
import type { Dtype } from "../../src/tensor/dtype.ts";
import { distinctRecipes, openTinyFamily, randomPrompts, type TinyFamily } from "../evaluate/tiny-family.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { countOperations } from "./counted-operations.ts";
import { nativeTfjs } from "./installed-package.ts";
import { f32Bytes, f32Values, generator } from "./sample-values.ts";

type Work = (family: TinyFamily, layers: number) => Promise<unknown>;

const prompts = randomPrompts(6);
const score: Work = ({ scorer }, layers) => scorer.score(distinctRecipes(1, layers), prompts);
const differentiate: Work = ({ scorer }, layers) =>
  scorer.gradient(
    distinctRecipes(1, layers),
    prompts.map((prompt) => ({ prompts: [prompt], derivative: (values) => values })),
  );

/** What one layer more takes, once parents and constants are on the device. */
async function operationsOfLayer(work: Work, precision: Dtype): Promise<number> {
  await using device = await openTfjs(nativeTfjs);
  const totals: number[] = [];
  for (const layers of [3, 4]) {
    const options = { model: { layers, hidden: 32 }, resident: true, batchTokens: 1024, precision };
    await using family = await openTinyFamily(await temporaryFolder(), device, options);
    await work(family, layers);
    const counts = await countOperations(() => work(family, layers));
    totals.push(Object.values(counts).reduce((sum, count) => sum + count, 0));
  }
  return totals[1]! - totals[0]!;
}

/** So many tensors of random numbers, each times three. */
async function scaled(device: Device, count: number): Promise<{ terms: Expression[]; values: Float32Array[] }> {
  const random = generator(7);
  const values = Array.from({ length: count }, () =>
    Float32Array.from({ length: 999 }, () => random() * 2 ** (9 * random())),
  );
  const held = await Promise.all(values.map((own) => device.upload(f32Bytes(own), "f32", [27, 37])));
  return { terms: held.map((tensor) => scale(input(tensor), 3)), values };
}

describe.skipIf(!nativeTfjs)("what one operation does of several nodes", () => {
  test("a sum of many terms has the bits of one added to the other", async () => {
    await using device = await openTfjs(nativeTfjs);
    const { terms, values } = await scaled(device, 11);
    let sum: DeviceTensor[] = [];
    const counts = await countOperations(async () => {
      sum = await device.run([terms.reduce((total, term) => add(total, term))]);
    });
    expect(counts).toEqual({ Mul: 11, AddN: 2 });
    const tripled = values.map((own) => own.map((value) => 3 * value));
    const expected = tripled.reduce((total, own) => total.map((value, i) => value + own[i]!));
    expect(f32Values(await device.read(sum[0]!))).toEqual(expected);
  });

  test("what is read elsewhere, too, is there", async () => {
    await using device = await openTfjs(nativeTfjs);
    const { terms } = await scaled(device, 4);
    const [a, b, c, d] = terms as [Expression, Expression, Expression, Expression];
    const inside = add(a, b);
    const [part, whole, apart] = await device.run([inside, add(add(inside, c), d), sub(add(add(add(a, b), c), d), d)]);
    const [two, three] = await Promise.all([part!, apart!].map(async (tensor) => f32Values(await device.read(tensor))));
    const [all, fourth] = [
      f32Values(await device.read(whole!)),
      f32Values(await device.read((await device.run([d]))[0]!)),
    ];
    const third = f32Values(await device.read((await device.run([c]))[0]!));
    expect(all).toEqual(two!.map((value, i) => Math.fround(value + third[i]!) + fourth[i]!));
    expect(three).toEqual(all.map((value, i) => value - fourth[i]!));
  });

  test("what is asked for twice is computed once, but for a factor of the other zero", async () => {
    await using device = await openTfjs(nativeTfjs);
    const x = input(await device.upload(f32Bytes([1, -2]), "f32", [2]));
    let found: DeviceTensor[] = [];
    const counts = await countOperations(async () => {
      found = await device.run([scale(x, 0), scale(x, -0), scale(x, 0), add(scale(x, -0), x)]);
    });
    expect(counts).toEqual({ Mul: 2, AddV2: 1 });
    const values = await Promise.all(found.map(async (tensor) => [...f32Values(await device.read(tensor))]));
    expect(values).toEqual([
      [0, -0],
      [-0, 0],
      [0, -0],
      [1, -2],
    ]);
  });
});

// Each operation is a launch on a GPU: fewer may be told here, more need a reason.
test.skipIf(!nativeTfjs).each([
  { what: "merging and computing a layer", work: score, precision: "f32", most: 152 },
  { what: "merging and computing a layer", work: score, precision: "bf16", most: 156 },
  { what: "the way there and back", work: differentiate, precision: "f32", most: 418 },
] as const)("$what of two experts in $precision takes at most $most operations", async ({ work, precision, most }) => {
  expect(await operationsOfLayer(work, precision)).toBeLessThanOrEqual(most);
});
