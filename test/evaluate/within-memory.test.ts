import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { OutOfMemory } from "../../src/errors.ts";
import type { LossRow } from "../../src/evaluate/differentiate.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { ObservedDevice } from "./observed-device.ts";
import { distinctRecipes, openTinyFamily, randomPrompts, type TinyFamily } from "./tiny-family.ts";

let device: Device;
beforeAll(async () => {
  device = await openGgml({ backend: "cpu" });
});
afterAll(() => device[Symbol.asyncDispose]());

const recipes = distinctRecipes(8, 2);
const prompts = randomPrompts(40);
const rows = prompts.map((prompt): LossRow => ({ prompts: [prompt], derivative: (own) => own }));

interface Attempts {
  readonly found: readonly unknown[];
  /** Runs of the device. */
  readonly runs: readonly number[];
}

/** What is found with all memory, and with less and less of what that took. */
async function withLess(resident: boolean, work: (family: TinyFamily) => Promise<unknown>): Promise<Attempts> {
  const observed = new ObservedDevice(device);
  const found: unknown[] = [];
  const runs: number[] = [];
  let took = 0;
  for (const share of [1, 0.6, 0.3]) {
    await using family = await openTinyFamily(await temporaryFolder(), observed, { model: { hidden: 64 }, resident });
    const before = observed.memory.bytes;
    observed.mostBytes = share === 1 ? Infinity : before + share * took;
    const { run } = observed.counts;
    found.push(await work(family));
    runs.push(observed.counts.run - run);
    if (share === 1) took = observed.tookBytes - before;
    if (!resident) expect(observed.memory.bytes).toBe(before);
  }
  return { found, runs };
}

describe("a device that runs out of memory", () => {
  test.each([true, false])("scores fewer candidates at once, with the same bits: resident %s", async (resident) => {
    const options = { digestOf: 5, greedy: true };
    const { found, runs } = await withLess(resident, ({ scorer }) => scorer.score(recipes, prompts, options));
    for (const other of found) expect(other).toEqual(found[0]);
    expect(runs).toEqual([...new Set(runs)].toSorted((a, b) => a - b));
  });

  test("differentiates fewer candidates at once, with the same bits", async () => {
    const { found, runs } = await withLess(false, ({ scorer }) => scorer.gradient(recipes, rows));
    for (const other of found) expect(other).toEqual(found[0]);
    expect(runs).toEqual([...new Set(runs)].toSorted((a, b) => a - b));
  });

  test("says so where one candidate with one batch has no room", async () => {
    const observed = new ObservedDevice(device);
    await using family = await openTinyFamily(await temporaryFolder(), observed);
    observed.mostBytes = observed.memory.bytes;
    await expect(family.scorer.score(recipes, prompts)).rejects.toThrow(OutOfMemory);
    await expect(family.scorer.gradient(recipes, rows)).rejects.toThrow(OutOfMemory);
    expect(observed.memory.bytes).toBe(observed.mostBytes);
  });
});
