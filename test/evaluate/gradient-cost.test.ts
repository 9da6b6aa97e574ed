import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { UserError } from "../../src/errors.ts";
import { paddedTokens, totalTokens } from "../../src/evaluate/batch-sizes.ts";
import type { GenerationGradient, LossRow } from "../../src/evaluate/differentiate.ts";
import { packPrompts, type Prompt } from "../../src/evaluate/pack.ts";
import { allWeights, type Weight } from "../../src/model/architecture.ts";
import { bytesPerElement, elementCount } from "../../src/tensor/dtype.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { ObservedDevice } from "./observed-device.ts";
import { distinctRecipes, openTinyFamily, randomPrompts, type TinyFamily } from "./tiny-family.ts";
import { testedEngines } from "../device/tested-engines.ts";

let device: Device;
beforeAll(async () => {
  device = await openGgml({ backend: "cpu" });
});
afterAll(() => device[Symbol.asyncDispose]());

/** Loss: the mean of the squares of a row's log-likelihoods. */
function lossRow(...prompts: Prompt[]): LossRow {
  const count = prompts.reduce((sum, { continuations }) => sum + continuations.length, 0);
  return { prompts, derivative: (values) => values.map((own) => own.map((value) => (2 * value) / count)) };
}

function lossRows(count: number): LossRow[] {
  return randomPrompts(count).map((prompt) => lossRow(prompt));
}

/** All derivatives of all candidates, in one order. */
function flat({ derivatives }: GenerationGradient): number[] {
  return derivatives.flatMap((own) =>
    Object.keys(own)
      .toSorted()
      .flatMap((name) => own[name]!["weight"]!.flatMap((values) => [...values])),
  );
}

/** Sums of f32 in other orders. */
function expectSame(found: GenerationGradient, expected: GenerationGradient): void {
  expect(found.logLikelihoods).toEqual(expected.logLikelihoods);
  const values = flat(expected);
  const largest = Math.max(...values.map(Math.abs));
  const others = flat(found);
  expect(others).toHaveLength(values.length);
  for (const [i, value] of values.entries()) expect(Math.abs(others[i]! - value)).toBeLessThan(1e-5 * largest);
}

describe("derivatives by the coefficients", () => {
  test.each(["f32", "bf16"] as const)("are the same however they are computed: %s", async (precision) => {
    const observed = new ObservedDevice(device);
    const folder = await temporaryFolder();
    const options = { model: { hidden: 32, tied: true }, precision };
    await using resident = await openTinyFamily(folder, observed, { ...options, resident: true });
    await using streamed = await openTinyFamily(folder, observed, options);
    const recipes = distinctRecipes(3, 2);
    const rows = lossRows(20);
    const whole = await resident.scorer.gradient(recipes, rows);
    expect(Math.max(...flat(whole))).toBeGreaterThan(0.1);
    expect(await streamed.scorer.gradient(recipes, rows)).toEqual(whole);
    for (const [i, recipe] of recipes.entries()) {
      const alone = await streamed.scorer.gradient([recipe], rows);
      expect(alone.derivatives[0]).toEqual(whole.derivatives[i]);
    }
    const shares: number[] = [];
    observed.claimed = { capacityBytes: 2 ** 18 };
    expectSame(await streamed.scorer.gradient(recipes, rows, { onProgress: (share) => shares.push(share) }), whole);
    expect(shares.filter((share, i) => share < (shares[i - 1] ?? 0))).toEqual([]);
    expect(shares.at(-1)).toBe(1);
    expect(shares.length).toBeGreaterThan(2 * 2 * resident.model.stages.length);
    observed.claimed = undefined;
    observed.concurrency = 2;
    expectSame(await streamed.scorer.gradient(recipes, rows), whole);
    observed.concurrency = 3;
    expectSame(await streamed.scorer.gradient(recipes.slice(1), rows), {
      logLikelihoods: whole.logLikelihoods.slice(1),
      derivatives: whole.derivatives.slice(1),
    });
  });

  test.each([
    ...testedEngines,
    ["ggml, attention in one node where it may be", () => openGgml({ backend: "cpu", fusesAttention: true })] as const,
  ])("have the same bits whatever was kept: %s", async (_, open) => {
    await using observed = new ObservedDevice(await open());
    await using family = await openTinyFamily(await temporaryFolder(), observed, { precision: "bf16" });
    const { scorer, model } = family;
    const [recipes, rows] = [distinctRecipes(2, 2), lossRows(20)];
    const batches = packPrompts(randomPrompts(20), { batchTokens: 64, ...model });
    const states = 2 * model.stages.length * totalTokens(batches, paddedTokens) * model.hiddenSize * 4;
    const found: GenerationGradient[] = [];
    const products: number[] = [];
    for (const capacityBytes of [undefined, 5 * states, 12 * states, 100 * states]) {
      observed.claimed = { capacityBytes };
      const before = observed.counts.products;
      found.push(await scorer.gradient(recipes, rows));
      products.push(observed.counts.products - before);
    }
    for (const one of found) expect(one).toEqual(found[0]);
    // The more was kept, the less was computed again.
    expect(products.toSorted((a, b) => b - a)).toEqual(products);
    expect(new Set(products).size).toBe(products.length);
  });

  test("point the same way where products are in bf16", async () => {
    const folder = await temporaryFolder();
    const found: number[][] = [];
    for (const precision of ["f32", "bf16"] as const) {
      await using family = await openTinyFamily(folder, device, { model: { hidden: 64 }, precision });
      found.push(flat(await family.scorer.gradient(distinctRecipes(1, 2), lossRows(20))));
    }
    const [exact, rounded] = found as [number[], number[]];
    const product = exact.reduce((sum, value, i) => sum + value * rounded[i]!, 0);
    expect(product / (Math.hypot(...exact) * Math.hypot(...rounded))).toBeGreaterThan(0.99);
    expect(rounded).not.toEqual(exact);
  });

  test("come with the log-likelihoods of a scoring, to the bit", async () => {
    await using family = await openTinyFamily(await temporaryFolder(), device);
    const recipes = distinctRecipes(2, 2);
    const { logLikelihoods } = await family.scorer.gradient(recipes, lossRows(20));
    expect(logLikelihoods).toEqual((await family.scorer.score(recipes, randomPrompts(20))).logLikelihoods);
  });

  test("are none of a parent as it is, which costs no way back", async () => {
    const observed = new ObservedDevice(device);
    await using family = await openTinyFamily(await temporaryFolder(), observed);
    const [recipe] = distinctRecipes(1, 2);
    const copy = { method: "passthrough", model: "a" } as const;
    const rows = lossRows(4);
    const alone = await family.scorer.gradient([recipe!], rows);
    const both = await family.scorer.gradient([copy, recipe!], rows);
    expect(both.derivatives).toEqual([{}, ...alone.derivatives]);
    const { run } = observed.counts;
    expect((await family.scorer.gradient([copy], rows)).derivatives).toEqual([{}]);
    expect(observed.counts.run - run).toBe(family.model.stages.length);
  });

  test("see all prompts of a row at once, whatever fits on the device", async () => {
    const observed = new ObservedDevice(device);
    await using family = await openTinyFamily(await temporaryFolder(), observed, { batchTokens: 32 });
    const prompts = randomPrompts(12);
    const longest = prompts.toSorted((a, b) => b.context.length - a.context.length);
    const seen: number[][] = [];
    const row: LossRow = {
      prompts: [longest[1]!, longest.at(-2)!],
      derivative: (values) => {
        seen.push(values.flatMap((own) => [...own]));
        return values.map((own) => own.map((value) => 2 * value));
      },
    };
    const rows = [row, ...prompts.map((prompt) => lossRow(prompt))];
    const recipes = distinctRecipes(2, 2);
    const whole = await family.scorer.gradient(recipes, rows);
    observed.claimed = { capacityBytes: 1 };
    expectSame(await family.scorer.gradient(recipes, rows), whole);
    const values = whole.logLikelihoods.map((own) => own.slice(0, 2).flatMap((one) => [...one]));
    for (const own of values) expect(seen).toContainEqual(own);
  });
});

/** Of base and experts. */
function bytesOf(weights: readonly Weight[]): number {
  return 3 * weights.reduce((sum, { shape }) => sum + bytesPerElement.bf16 * elementCount(shape), 0);
}

describe("the cost of derivatives", () => {
  test.each([true, false])("reads the parents twice, what both ways need in a row once: tied %s", async (tied) => {
    await using family = await openTinyFamily(await temporaryFolder(), device, { model: { layers: 3, tied } });
    await family.scorer.gradient(distinctRecipes(2, 3), lossRows(6));
    const once = Object.values(family.model.stages.at(-1)!.weights);
    expect(family.parents.bytesRead).toBe(2 * bytesOf(allWeights(family.model)) - bytesOf(once));
  });

  test("is two products for each one forward, and the forward ones once more only where they were not kept", async () => {
    const observed = new ObservedDevice(device);
    await using family = await openTinyFamily(await temporaryFolder(), observed);
    const [recipes, rows] = [distinctRecipes(2, 2), lossRows(20)];
    const productsOf = async (work: () => Promise<unknown>): Promise<number> => {
      const { products } = observed.counts;
      await work();
      return observed.counts.products - products;
    };
    const forward = await productsOf(() => family.scorer.score(recipes, randomPrompts(20)));
    expect(await productsOf(() => family.scorer.gradient(recipes, rows))).toBe(3 * forward);
    observed.claimed = { capacityBytes: undefined };
    // But for the last product of a layer, of which nothing but a sum is read.
    const products = await productsOf(() => family.scorer.gradient(recipes, rows));
    expect(products).toBeGreaterThan(3.8 * forward);
    expect(products).toBeLessThan(4 * forward);
  });

  const hidden = 64;
  const length = 16;

  async function peakOf(
    count: number,
    layers: number,
    capacityBytes?: number,
    prompts = randomPrompts(1),
  ): Promise<number> {
    await using observed = new ObservedDevice(await openGgml({ backend: "cpu" }));
    // Parents that stay: whether those of the next stage are there already at the peak would be chance.
    await using family = await openTinyFamily(await temporaryFolder(), observed, {
      model: { hidden, layers },
      resident: true,
    });
    const rows = Array.from({ length: count }, () => lossRow(...prompts));
    observed.claimed = { capacityBytes };
    await family.scorer.gradient(distinctRecipes(1, layers), rows);
    return observed.memory.peakBytes;
  }

  test("takes one f32 state of each stage for every token, and no more than the device has for that", async () => {
    for (const layers of [2, 6]) {
      // The batches themselves: token, position and row of the mask; what is read and predicted of them is less.
      const perToken = (layers + 2) * hidden * 4 + 4 + 4 + 4 * length + 4 * 4;
      const few = await peakOf(40, layers);
      const many = await peakOf(200, layers);
      expect(many - few).toBeLessThanOrEqual(1.05 * (160 * length) * perToken);
    }
    const states = 8 * hidden * 4;
    const capacity = (40 * length * states) / 0.4;
    expect(await peakOf(400, 6, capacity)).toBeLessThan(1.05 * (await peakOf(40, 6, capacity)));
  });

  test("takes no more work space than a weight's derivative in f32, and what that is multiplied with", async () => {
    await using own = await openGgml({ backend: "cpu" });
    const model = { hidden: 256, vocabulary: 8192 };
    await using family = await openTinyFamily(await temporaryFolder(), own, { model, resident: true });
    await family.scorer.gradient(distinctRecipes(1, 2), lossRows(2));
    const head = model.hidden * model.vocabulary;
    // Both in f32, beside a few rows and blocks; the way forward has the merged head in bf16 and f32.
    expect(own.memory.workBytes).toBeLessThan(10 * head);
  });

  test("takes no more where the prompts of each row are of very different lengths", async () => {
    const prompts = [10, 30].map((count) => ({
      context: Int32Array.from({ length: count }, (_, i) => i),
      continuations: [Int32Array.of(1)],
    }));
    const capacity = (20 * (2 * 32) * 4 * hidden * 4) / 0.4;
    expect(await peakOf(100, 2, capacity, prompts)).toBeLessThan(1.05 * (await peakOf(20, 2, capacity, prompts)));
  });

  test("takes of a device that has more a quarter with its states, for results that it would compute again", async () => {
    await using family = await openTinyFamily(await temporaryFolder(), device, { model: { hidden } });
    const layer = bytesOf(Object.values(family.model.stages[1]!.weights)) / 3;
    const [count, layers] = [100, 4];
    const states = (layers + 2) * count * length * hidden * 4;
    const least = await peakOf(count, layers);
    for (const rest of [0, 0.5, 1]) {
      const more = (await peakOf(count, layers, 4 * (states + rest * states))) - least;
      // And what a stage of which a part is kept needs beside it, less than a layer of one parent has.
      expect(more).toBeLessThanOrEqual(1.01 * rest * states + layer);
      expect(more).toBeGreaterThanOrEqual(0.7 * rest * states);
    }
  });
});

describe("derivatives that cannot be finished", () => {
  const recipes = distinctRecipes(2, 2);
  const rows = lossRows(4);
  const stages = 4;
  // The candidates agree on the embedding, which is computed once for both.
  const runs = 2 * 2 * stages - 1;

  async function expectNoTrace(
    resident: boolean,
    attempt: (family: TinyFamily, observed: ObservedDevice) => Promise<void>,
  ): Promise<void> {
    const observed = new ObservedDevice(device);
    await using family = await openTinyFamily(await temporaryFolder(), observed, { resident, model: { tied: true } });
    const before = await family.scorer.gradient(recipes, rows);
    const { bytes } = observed.memory;
    await attempt(family, observed);
    observed.before = () => {};
    expect(observed.memory.bytes).toBe(bytes);
    expect(await family.scorer.gradient(recipes, rows)).toEqual(before);
    expect(observed.memory.bytes).toBe(bytes);
  }

  const places = [false, true].flatMap((resident) => [0, 5, 8, 9, 12, runs - 1].map((run) => ({ resident, run })));

  test.each(places)("throw the reason of an abort during run $run: resident $resident", async ({ resident, run }) => {
    await expectNoTrace(resident, async ({ scorer }, observed) => {
      const controller = new AbortController();
      const reason = new Error("out of time");
      const start = observed.counts.run;
      observed.before = (call, count) => {
        if (call === "run" && count - start === run) controller.abort(reason);
      };
      const running = scorer.gradient(recipes, rows, { signal: controller.signal });
      if (run < runs - 1) await expect(running).rejects.toBe(reason);
      else await running;
      expect(observed.counts.run - start).toBe(run + 1);
    });
  });

  test.each(places)("throw what the device throws in run $run: resident $resident", async ({ resident, run }) => {
    await expectNoTrace(resident, async ({ scorer }, observed) => {
      const failure = new UserError("out of memory");
      const start = observed.counts.run;
      observed.before = (call, count) => {
        if (call === "run" && count - start === run) throw failure;
      };
      await expect(scorer.gradient(recipes, rows)).rejects.toBe(failure);
    });
  });

  test.each([0, 8, 20, 60])("free what was uploaded when upload %d fails", async (upload) => {
    await expectNoTrace(false, async ({ scorer }, observed) => {
      const failure = new UserError("out of memory");
      const start = observed.counts.upload;
      observed.before = (call, count) => {
        if (call === "upload" && count - start === upload) throw failure;
      };
      await expect(scorer.gradient(recipes, rows)).rejects.toBe(failure);
    });
  });
});
