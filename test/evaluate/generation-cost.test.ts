import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { openTfjs } from "../../src/device/tfjs/open-tfjs.ts";
import { UserError } from "../../src/errors.ts";
import type { GenerationScores } from "../../src/evaluate/scorer.ts";
import { paddedTokens } from "../../src/evaluate/batch-sizes.ts";
import { packPrompts } from "../../src/evaluate/pack.ts";
import { ParentWeights } from "../../src/evaluate/parent-weights.ts";
import { stagePathOf, routeAlong } from "../../src/evaluate/path.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { ObservedDevice } from "./observed-device.ts";
import { distinctRecipes, experts, openTinyFamily, randomPrompts, type TinyFamily } from "./tiny-family.ts";

let device: Device;
beforeAll(async () => {
  device = await openGgml({ backend: "cpu" });
});
afterAll(() => device[Symbol.asyncDispose]());

describe("the cost of a generation", () => {
  test("streamed: reads every parent once, and peak memory does not grow with the layers", async () => {
    const costs = new Map<string, Cost>();
    for (const layers of [4, 16]) {
      for (const population of [2, 16]) {
        const cost = await costOf(layers, population, false);
        costs.set(`${layers} layers, population ${population}`, cost);
        expect(cost.bytesRead).toEqual([cost.weightBytes, cost.weightBytes]);
      }
    }
    for (const population of [2, 16]) {
      const shallow = costs.get(`4 layers, population ${population}`)!;
      const deep = costs.get(`16 layers, population ${population}`)!;
      expect(deep.weightBytes).toBeGreaterThan(3 * shallow.weightBytes);
      // Whether the next stage is there already when one is computed is chance.
      const layerBytes = (deep.weightBytes - shallow.weightBytes) / 12;
      expect(deep.peakBytes).toBeLessThanOrEqual(1.05 * shallow.peakBytes + layerBytes);
    }
  });

  test("resident: reads every parent once in all", async () => {
    const { bytesRead, weightBytes, peakBytes } = await costOf(4, 2, true);
    expect(bytesRead).toEqual([weightBytes, 0]);
    expect(peakBytes).toBeGreaterThan(weightBytes);
  });
});

describe("a tied embedding", () => {
  test.each([true, false])("is read and brought to the device once a pass, resident: %s", async (resident) => {
    await using own = await openGgml({ backend: "cpu" });
    const observed = new ObservedDevice(own);
    await using family = await openTinyFamily(await temporaryFolder(), observed, { model: { tied: true }, resident });
    const tensors = [...family.checkpoints.values()].flatMap((checkpoint) => [...checkpoint.tensors.values()]);
    const weightBytes = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
    const prompts = randomPrompts(1);
    const uploads: number[] = [];
    for (const recipes of [distinctRecipes(2, 2), distinctRecipes(1, 2)]) {
      const before = { uploads: observed.counts.upload, bytesRead: family.parents.bytesRead };
      await family.scorer.score(recipes, prompts);
      uploads.push(observed.counts.upload - before.uploads);
      const again = resident && recipes.length === 1;
      expect(family.parents.bytesRead - before.bytesRead).toBe(again ? 0 : weightBytes);
    }
    // Three tensors of the one batch, three of what is read of it, two of its targets, the periods.
    const others = 9;
    expect(uploads).toEqual([tensors.length + others, (resident ? 0 : tensors.length) + others]);
    if (!resident) expect(observed.memory.bytes).toBeLessThan(weightBytes / 2);
  });
});

describe("candidates too few for the device", () => {
  test.each(["f32", "bf16"] as const)("share it by their batches, with the same bits: %s", async (precision) => {
    const observed = new ObservedDevice(device);
    const options = { batchTokens: 64, precision, model: { hidden: 64 } };
    await using family = await openTinyFamily(await temporaryFolder(), observed, options);
    const stages = family.model.stages.length;
    const prompts = randomPrompts(40);
    const [recipe] = distinctRecipes(1, 2);
    const alone = await family.scorer.score([recipe!], prompts, { digestOf: 0 });
    expect(observed.counts.run).toBe(stages);
    observed.concurrency = 3;
    expect(await family.scorer.score([recipe!], prompts, { digestOf: 0 })).toEqual(alone);
    expect(observed.counts.run).toBe(stages + 3 * stages);
  });
});

describe("a generation whose activations do not fit on the device", () => {
  test.each(["f32", "bf16"] as const)(
    "is scored in several passes with the same bits, less memory and one hash of the weights: %s",
    async (precision) => {
      await using observed = new ObservedDevice(await openGgml({ backend: "cpu" }));
      const options = { resident: false, batchTokens: 64, precision };
      await using family = await openTinyFamily(await temporaryFolder(), observed, options);
      const recipes = distinctRecipes(3, 2);
      const prompts = randomPrompts(40);
      const shares: number[] = [];
      observed.claimed = { capacityBytes: 2 ** 14 };
      const split = await family.scorer.score(recipes, prompts, {
        digestOf: 1,
        onProgress: (share) => shares.push(share),
      });
      const { peakBytes } = observed.memory;
      const passes = shares.length / family.model.stages.length;
      expect(passes).toBeGreaterThan(2);
      expect(shares).toEqual(shares.toSorted((a, b) => a - b));
      expect(shares.at(-1)).toBe(1);
      observed.claimed = undefined;
      expect(await family.scorer.score(recipes, prompts, { digestOf: 1 })).toEqual(split);
      expect(observed.memory.peakBytes).toBeGreaterThan(1.5 * peakBytes);
    },
  );

  test("is scored by groups of candidates where one batch of all would not fit, with the same bits", async () => {
    await using observed = new ObservedDevice(await openGgml({ backend: "cpu" }));
    await using family = await openTinyFamily(await temporaryFolder(), observed, { model: { hidden: 64 } });
    const recipes = distinctRecipes(24, 2);
    const prompts = randomPrompts(40);
    const shares: number[] = [];
    const options = { digestOf: 20, onProgress: (share: number): void => void shares.push(share) };
    // Two fifths of the device are for activations: four candidates' of 64 tokens in 64 f32 each.
    observed.claimed = { capacityBytes: 10 * (64 * 64 * 4) };
    const split = await family.scorer.score(recipes, prompts, options);
    const { peakBytes } = observed.memory;
    const batches = packPrompts(prompts, { batchTokens: 64, windows: family.model.windows });
    expect(Math.max(...batches.map(paddedTokens))).toBe(64);
    expect(shares).toHaveLength((24 / 4) * batches.length * family.model.stages.length);
    observed.claimed = undefined;
    expect(await family.scorer.score(recipes, prompts, options)).toEqual(split);
    expect(observed.memory.peakBytes - peakBytes).toBeGreaterThan((24 - 4) * (64 * 64 * 4));
  });

  test("is scored in one pass on a device whose memory is not known", async () => {
    const observed = new ObservedDevice(device);
    observed.claimed = { capacityBytes: undefined };
    await using family = await openTinyFamily(await temporaryFolder(), observed);
    const shares: number[] = [];
    await family.scorer.score(distinctRecipes(3, 2), randomPrompts(40), { onProgress: (share) => shares.push(share) });
    expect(shares).toHaveLength(family.model.stages.length);
  });
});

describe("parents stay on a device", () => {
  const engines = { ggml: () => openGgml({ backend: "cpu" }), tfjs: () => openTfjs() };

  test.each([
    { engine: "ggml", capacity: 4, stay: true },
    { engine: "ggml", capacity: 3.9, stay: false },
    { engine: "ggml", capacity: undefined, stay: false },
    // It holds bf16 in four bytes.
    { engine: "tfjs", capacity: 4, stay: false },
    { engine: "tfjs", capacity: 8, stay: true },
  ] as const)("$engine with $capacity times the bytes of their files: $stay", async ({ engine, capacity, stay }) => {
    await using observed = new ObservedDevice(await engines[engine]());
    await using family = await openTinyFamily(await temporaryFolder(), observed);
    const tensors = [...family.checkpoints.values()].flatMap((checkpoint) => [...checkpoint.tensors.values()]);
    const fileBytes = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
    observed.claimed = { capacityBytes: capacity && capacity * fileBytes };
    await using parents = new ParentWeights(observed, family.checkpoints);
    const route = routeAlong(new Map([[0, stagePathOf({ ...family, experts }, distinctRecipes(1, 2)[0]!)]]));
    await parents.load(route, 0);
    await parents.releaseAll();
    expect(observed.memory.bytes > 0).toBe(stay);
  });
});

describe("two generations asked for at once", () => {
  test.each([true, false])("score as each does alone, one after the other: resident %s", async (resident) => {
    const observed = new ObservedDevice(device);
    await using family = await openTinyFamily(await temporaryFolder(), observed, { resident });
    const asked = [3, 2].map((count) => ({ recipes: distinctRecipes(count, 2), prompts: randomPrompts(4 * count) }));
    const score = ({ recipes, prompts }: (typeof asked)[number]): Promise<GenerationScores> =>
      family.scorer.score(recipes, prompts, { digestOf: 1 });
    const alone: GenerationScores[] = [];
    for (const generation of asked) alone.push(await score(generation));
    const { bytes } = observed.memory;
    expect(await Promise.all(asked.map(score))).toEqual(alone);
    expect(observed.memory.bytes).toBe(bytes);
  });
});

describe("a generation that cannot be finished", () => {
  const recipes = distinctRecipes(3, 2);
  const prompts = randomPrompts(4);

  /** Runs `attempt` on a warm scorer: it must leave nothing on the device, and the scorer must work as before. */
  async function expectNoTrace(
    resident: boolean,
    attempt: (family: TinyFamily, observed: ObservedDevice) => Promise<void>,
  ): Promise<void> {
    const observed = new ObservedDevice(device);
    await using family = await openTinyFamily(await temporaryFolder(), observed, { resident });
    // The first pass leaves work space, and resident parents, on the device for good.
    const { logLikelihoods } = await family.scorer.score(recipes, prompts);
    const { bytes } = observed.memory;
    await attempt(family, observed);
    observed.before = () => {};
    expect(observed.memory.bytes).toBe(bytes);
    expect((await family.scorer.score(recipes, prompts)).logLikelihoods).toEqual(logLikelihoods);
    expect(observed.memory.bytes).toBe(bytes);
  }

  const everyRun = [false, true].flatMap((resident) => [0, 1, 3, 5, 8].map((run) => ({ resident, run })));

  test.each(everyRun)(
    "throws the reason of an abort during run $run and runs no more: resident $resident",
    async ({ resident, run }) => {
      await expectNoTrace(resident, async ({ scorer }, observed) => {
        const controller = new AbortController();
        const reason = new Error("out of time");
        const start = observed.counts.run;
        observed.before = (call, count) => {
          if (call === "run" && count - start === run) controller.abort(reason);
        };
        await expect(scorer.score(recipes, prompts, { signal: controller.signal })).rejects.toBe(reason);
        expect(observed.counts.run - start).toBe(run + 1);
      });
    },
  );

  test("runs nothing when it was aborted before", async () => {
    await expectNoTrace(false, async ({ scorer }, observed) => {
      const start = observed.counts.run;
      await expect(scorer.score(recipes, prompts, { signal: AbortSignal.abort("before") })).rejects.toBe("before");
      expect(observed.counts.run).toBe(start);
    });
  });

  test.each(everyRun)("throws what the device throws in run $run: resident $resident", async ({ resident, run }) => {
    await expectNoTrace(resident, async ({ scorer }, observed) => {
      const failure = new UserError("out of memory");
      const start = observed.counts.run;
      observed.before = (call, count) => {
        if (call === "run" && count - start === run) throw failure;
      };
      await expect(scorer.score(recipes, prompts)).rejects.toBe(failure);
    });
  });

  test.each([0, 1, 8, 20])("frees what was uploaded when upload %d fails", async (upload) => {
    await expectNoTrace(false, async ({ scorer }, observed) => {
      const failure = new UserError("out of memory");
      const start = observed.counts.upload;
      observed.before = (call, count) => {
        if (call === "upload" && count - start === upload) throw failure;
      };
      await expect(scorer.score(recipes, prompts)).rejects.toBe(failure);
    });
  });
});

describe("weights that are not finite", () => {
  test.each([
    { name: "model.embed_tokens.weight", resident: false },
    { name: "model.layers.1.mlp.up_proj.weight", resident: false },
    { name: "model.layers.1.mlp.up_proj.weight", resident: true },
    { name: "lm_head.weight", resident: true },
  ])(
    "in $name of an expert are refused, nothing stays on the device: resident $resident",
    async ({ name, resident }) => {
      const observed = new ObservedDevice(device);
      const folder = await temporaryFolder();
      {
        await using healthy = await openTinyFamily(join(folder, "healthy"), observed);
        await healthy.scorer.score(distinctRecipes(2, 2), randomPrompts(2));
      }
      const { bytes } = observed.memory;
      {
        const edit = (tensor: string, values: Float32Array): void => {
          if (tensor === name) values[5] = NaN;
        };
        await using family = await openTinyFamily(join(folder, "sick"), observed, { b: { edit }, resident });
        for (const attempt of ["first", "second"]) {
          await expect(family.scorer.score(distinctRecipes(2, 2), randomPrompts(2)), attempt).rejects.toThrow(
            new UserError(
              `${join(folder, "sick", "b")}: tensor ${name}: element 5 is NaN or infinite; expected finite weights, use another model`,
            ),
          );
        }
        if (!resident) expect(observed.memory.bytes).toBe(bytes);
      }
      expect(observed.memory.bytes).toBe(bytes);
    },
  );
});

interface Cost {
  readonly weightBytes: number;
  readonly bytesRead: readonly number[];
  readonly peakBytes: number;
}

/** Two generations on a device of their own. */
async function costOf(layers: number, population: number, resident: boolean): Promise<Cost> {
  await using observed = new ObservedDevice(await openGgml({ backend: "cpu" }));
  const options = { model: { layers, hidden: 32 }, resident };
  await using family = await openTinyFamily(await temporaryFolder(), observed, options);
  const prompts = randomPrompts(12);
  const bytesRead: number[] = [];
  for (const recipes of [distinctRecipes(population, layers), distinctRecipes(population, layers).toReversed()]) {
    const before = family.parents.bytesRead;
    await family.scorer.score(recipes, prompts);
    bytesRead.push(family.parents.bytesRead - before);
  }
  const tensors = [...family.checkpoints.values()].flatMap((checkpoint) => [...checkpoint.tensors.values()]);
  const weightBytes = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  return { weightBytes, bytesRead, peakBytes: observed.memory.peakBytes };
}
