import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { OutOfMemory } from "../../src/errors.ts";
import type { LossRow } from "../../src/evaluate/differentiate.ts";
import { ParentReader } from "../../src/evaluate/parent-reader.ts";
import { ParentWeights, type ParentWeightsOptions } from "../../src/evaluate/parent-weights.ts";
import type { MergeRecipe } from "../../src/merge/recipe.ts";
import { routeAlong, stagePathOf } from "../../src/evaluate/path.ts";
import type { Route } from "../../src/evaluate/route.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { ObservedDevice } from "./observed-device.ts";
import { distinctRecipes, experts, openTinyFamily, randomPrompts, type TinyFamily } from "./tiny-family.ts";

let device: Device;
beforeAll(async () => {
  device = await openGgml({ backend: "cpu" });
});
afterAll(() => device[Symbol.asyncDispose]());

const LAYERS = 6;

function routeOf(family: TinyFamily): Route {
  return routeAlong(new Map([[0, stagePathOf({ ...family, experts }, distinctRecipes(1, LAYERS)[0]!)]]));
}

/** Bytes of each stage, of all parents. */
function stageBytes({ checkpoints }: TinyFamily, { stages }: Route): number[] {
  const of = (name: string): number =>
    [...checkpoints.values()].reduce((sum, { tensors }) => sum + (tensors.get(name)?.bytes ?? 0), 0);
  return stages.map((names) => names.reduce((sum, name) => sum + of(name), 0));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

describe("stages that stay on a device", () => {
  const rows = randomPrompts(6).map((prompt): LossRow => ({
    prompts: [prompt],
    derivative: (values) => values.map((own) => own.map((x) => 2 * x)),
  }));

  test("change no bit of scores or derivatives: all, none, some, and many read ahead", async () => {
    const folder = await temporaryFolder();
    const recipes = distinctRecipes(2, LAYERS);
    const found: unknown[] = [];
    const read: number[] = [];
    const some = { stayBytes: 60_000, aheadBytes: 0 };
    for (const resident of [true, false, some, { stayBytes: 0, aheadBytes: Infinity }] as const) {
      await using family = await openTinyFamily(folder, device, { model: { layers: LAYERS, tied: true }, resident });
      const { scorer, parents } = family;
      const { logLikelihoods } = await scorer.score(
        recipes,
        rows.flatMap(({ prompts }) => prompts),
      );
      const gradients = [await scorer.gradient(recipes, rows), await scorer.gradient(recipes, rows)];
      found.push([logLikelihoods, ...gradients]);
      read.push(parents.bytesRead);
    }
    for (const other of found) expect(other).toEqual(found[0]);
    const [all, none, part] = read as [number, number, number];
    expect(part).toBeGreaterThan(all);
    expect(part).toBeLessThan(none);
  });

  test("are those that a pass begins with, as many as there is room for, and go when there is less", async () => {
    const observed = new ObservedDevice(device);
    observed.kind = "gpu";
    await using family = await openTinyFamily(await temporaryFolder(), observed, { model: { layers: LAYERS } });
    const route = routeOf(family);
    const bytes = stageBytes(family, route);
    const before = observed.memory.bytes;
    const stayingOf = async (capacityBytes: number, passBytes = 0): Promise<number> => {
      observed.claimed = { capacityBytes, workBytes: 1000 };
      await using parents = new ParentWeights(observed, family.checkpoints, { aheadBytes: 0 });
      parents.makeRoom(passBytes);
      for (const index of route.stages.keys()) {
        await parents.load(route, index);
        parents.release(route, index);
      }
      await parents.releaseAll();
      const full = observed.memory.bytes - before;
      parents.makeRoom(passBytes + bytes[0]!);
      expect(observed.memory.bytes - before).toBeLessThanOrEqual(Math.max(0, full - bytes[0]!));
      return full;
    };
    // A tenth of it stays free, and a tenth is for what is read ahead.
    const three = sum(bytes.slice(0, 3));
    expect(await stayingOf((three + 1000) / 0.8)).toBe(three);
    expect(await stayingOf((three + 1000) / 0.8, bytes[2])).toBe(sum(bytes.slice(0, 2)));
    expect(await stayingOf(1250)).toBe(0);
  });

  test("half of them go where the device runs out of memory, and do not come back", async () => {
    await using family = await openTinyFamily(await temporaryFolder(), device, { model: { layers: LAYERS } });
    const route = routeOf(family);
    await using parents = new ParentWeights(device, family.checkpoints, { stayBytes: Infinity, aheadBytes: 0 });
    const before = device.memory.bytes;
    const pass = async (): Promise<number> => {
      for (const index of route.stages.keys()) {
        await parents.load(route, index);
        parents.release(route, index);
      }
      await parents.releaseAll();
      return device.memory.bytes - before;
    };
    const all = await pass();
    expect(await parents.giveWay()).toBe(true);
    const half = device.memory.bytes - before;
    expect(half).toBeGreaterThan(0);
    expect(half).toBeLessThanOrEqual(all / 2);
    expect(await pass()).toBeLessThanOrEqual(all / 2);
    while (await parents.giveWay());
    expect(device.memory.bytes).toBe(before);
  });
});

describe("reading ahead", () => {
  test("goes on from the last stage of a pass to the first of the next", async () => {
    const once = await readBy({ aheadBytes: 0 }, forward);
    expect(once.read).toBe(sum(once.bytes));
    const two = once.bytes[0]! + once.bytes[1]!;
    const again = async (parents: ParentWeights, route: Route): Promise<void> => {
      await forward(parents, route);
      await parents.releaseAll();
      await forward(parents, route);
    };
    expect((await readBy({ aheadBytes: two }, forward, two)).read).toBe(sum(once.bytes) + two);
    const twice = await readBy({ aheadBytes: two }, again, two);
    expect(twice.read).toBe(2 * sum(twice.bytes) + two);
  });

  test("goes on to the last but one where the way back follows, and then to the first, which is there", async () => {
    const once = await readBy({ aheadBytes: 0 }, thereAndBack);
    expect(once.read).toBe(2 * sum(once.bytes) - once.bytes.at(-1)!);
    const first = await readBy({ aheadBytes: once.bytes[0]! }, thereAndBack, once.bytes[0]);
    expect(first.read).toBe(once.read);
  });

  test("counts what has arrived, so that it is no more the longer a stage takes", async () => {
    await using family = await openTinyFamily(await temporaryFolder(), device, { model: { layers: LAYERS } });
    const route = routeOf(family);
    const last = route.stages.length - 1;
    const reader = new NotedReader(device, family.checkpoints);
    const aheadBytes = stageBytes(family, route)[last - 1]!;
    await using parents = new ParentWeights(device, family.checkpoints, { reader, stayBytes: 0, aheadBytes });
    for (const index of route.stages.keys()) {
      await parents.load(route, index, "forward", true);
      if (index < last) parents.release(route, index);
    }
    // The last but one, once more.
    await Promise.all(reader.brought);
    const { length } = reader.brought;
    await parents.load(route, last, "backward");
    expect(reader.brought).toHaveLength(length);
    parents.release(route, last, "backward");
    await parents.load(route, last - 1, "backward");
    expect(reader.brought.length).toBeGreaterThan(length);
  });

  test("is given up with a pass that ends early, and leaves nothing", async () => {
    const early = await readBy({ aheadBytes: Infinity }, async (parents, route) => {
      await parents.load(route, 0);
    });
    expect(early.read).toBeLessThan(sum(early.bytes));
  });

  test("for the next pass is done again by that one where there was no room beside this one", async () => {
    await using family = await openTinyFamily(await temporaryFolder(), device, { model: { layers: LAYERS } });
    const route = routeOf(family);
    const reader = new CrowdedReader(device, family.checkpoints);
    await using parents = new ParentWeights(device, family.checkpoints, { reader, stayBytes: 0, aheadBytes: Infinity });
    const before = device.memory.bytes;
    reader.refused = route.stages[1]![0];
    await forward(parents, route);
    expect(reader.refused).toBeUndefined();
    await parents.releaseAll();
    await forward(parents, route);
    await parents[Symbol.asyncDispose]();
    expect(device.memory.bytes).toBe(before);
  });
});

describe("a device that runs out of memory", () => {
  test("has nothing under way once what was read ahead has given way", async () => {
    await using family = await openTinyFamily(await temporaryFolder(), device, { model: { layers: LAYERS } });
    const route = routeOf(family);
    const reader = new WaitingReader(device, family.checkpoints);
    const options = { reader, stayBytes: 0, aheadBytes: Infinity };
    await using parents = new ParentWeights(device, family.checkpoints, options);
    const before = device.memory.bytes;
    await forward(parents, route);
    await parents.releaseAll();
    expect(reader.waiting).toBeGreaterThan(0);
    const given = parents.giveWay();
    reader.goOn();
    expect(await given).toBe(false);
    expect(reader.waiting).toBe(0);
    expect(device.memory.bytes).toBe(before);
  });

  test("has what a merge derives of a weight for all experts or for none", async () => {
    const observed = new ObservedDevice(device);
    await using family = await openTinyFamily(await temporaryFolder(), observed, { model: { layers: LAYERS } });
    const { parents } = family;
    const [recipe] = distinctRecipes(1, LAYERS);
    const curves = recipe!.parameters["weight"]!;
    const dare: MergeRecipe = { method: "dare_linear", parameters: { weight: curves, density: curves }, seed: 1 };
    const path = stagePathOf({ ...family, experts }, dare);
    const route = routeAlong(new Map([[0, path]]));
    const last = path.length - 1;
    await parents.load(routeOf(family), last);
    const { upload } = observed.counts;
    observed.before = (call, count) => {
      if (call === "upload" && count === upload + 1) throw new OutOfMemory("out of memory for a leaf");
    };
    await expect(parents.load(route, last)).rejects.toThrow(OutOfMemory);
    await parents.load(route, last);
    for (const { name, step } of Object.values(path[last]!.sources))
      expect(parents.known(name, step).leaves).toHaveLength(experts.length);
  });
});

/** Lets what is read ahead for the next pass wait. */
class WaitingReader extends ParentReader {
  waiting = 0;
  readonly #asked = new Set<string>();
  goOn: () => void = () => {};
  readonly #going = new Promise<void>((resolve) => void (this.goOn = resolve));

  override async bring(...asked: Parameters<ParentReader["bring"]>): ReturnType<ParentReader["bring"]> {
    const [name] = asked;
    if (!this.#asked.has(name)) {
      this.#asked.add(name);
      return super.bring(...asked);
    }
    this.waiting += 1;
    try {
      await this.#going;
      return await super.bring(...asked);
    } finally {
      this.waiting -= 1;
    }
  }
}

/** Finds no room for a weight when it is asked for the second time. */
class CrowdedReader extends ParentReader {
  refused: string | undefined;
  #asked = 0;

  override async bring(...asked: Parameters<ParentReader["bring"]>): ReturnType<ParentReader["bring"]> {
    if (asked[0] !== this.refused || ++this.#asked < 2) return super.bring(...asked);
    this.refused = undefined;
    throw new OutOfMemory("out of memory for a weight");
  }
}

/** Keeps what was asked of it. */
class NotedReader extends ParentReader {
  readonly brought: ReturnType<ParentReader["bring"]>[] = [];

  override bring(...asked: Parameters<ParentReader["bring"]>): ReturnType<ParentReader["bring"]> {
    const bringing = super.bring(...asked);
    this.brought.push(bringing);
    return bringing;
  }
}

/** Bytes of the stages, and what was read for a pass, which leaves so much on the device. */
async function readBy(
  options: ParentWeightsOptions,
  pass: (parents: ParentWeights, route: Route) => Promise<void>,
  left = 0,
): Promise<{ readonly bytes: readonly number[]; readonly read: number }> {
  await using family = await openTinyFamily(await temporaryFolder(), device, { model: { layers: LAYERS } });
  const route = routeOf(family);
  const before = device.memory.bytes;
  const parents = new ParentWeights(device, family.checkpoints, { stayBytes: 0, ...options });
  await pass(parents, route);
  await parents.releaseAll();
  await expect.poll(() => device.memory.bytes - before).toBe(left);
  await parents[Symbol.asyncDispose]();
  expect(device.memory.bytes).toBe(before);
  return { bytes: stageBytes(family, route), read: parents.bytesRead };
}

/** A pass forward. */
async function forward(parents: ParentWeights, route: Route): Promise<void> {
  for (const index of route.stages.keys()) {
    await parents.load(route, index);
    parents.release(route, index);
  }
}

async function thereAndBack(parents: ParentWeights, route: Route): Promise<void> {
  const last = route.stages.length - 1;
  for (const index of route.stages.keys()) {
    await parents.load(route, index, "forward", true);
    if (index < last) parents.release(route, index);
  }
  for (const index of [...route.stages.keys()].toReversed()) {
    await parents.load(route, index, "backward");
    parents.release(route, index, "backward");
  }
}
