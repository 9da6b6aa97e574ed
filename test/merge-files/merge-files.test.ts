import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { mergeWeights } from "../../src/export/merge-weights.ts";
import { declarations, type MethodName, methodNames } from "../../src/merge/declarations.ts";
import type { Options } from "../../src/merge/method.ts";
import { UserError } from "../../src/errors.ts";
import { sha256Of } from "../../src/files/sha256.ts";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { tensorBytes } from "../../src/checkpoint/safetensors-header.ts";
import { writeCheckpoint, writeShards } from "../../src/checkpoint/write-checkpoint.ts";
import { mergeFiles, type MergeFilesOptions } from "../../src/merge-files/merge-files.ts";
import { writeTinyAdapter } from "../tiny-adapter.ts";
import { MergeUnderWay } from "../../src/merge-files/merge-under-way.ts";
import type { PlannedWeight } from "../../src/merge-files/plan.ts";
import type { Hand } from "../../src/merge-files/hand.ts";
import { MergeThreads } from "../../src/merge-files/threads.ts";
import { type Recipe, stepAt } from "../../src/merge/recipe.ts";
import { allWeights } from "../../src/model/architecture.ts";
import { experts as allExperts, openTinyFamily, recipeOf, type TinyFamily } from "../evaluate/tiny-family.ts";
import { temporaryFolder } from "../temporary-folder.ts";

/** The weights of a family as a recipe merges them. */
function planOf({ model, checkpoints }: TinyFamily, recipe: Recipe, experts: readonly string[]): PlannedWeight[] {
  return allWeights(model).map((weight) => {
    const { name, shape } = weight;
    const sourceOf = (model: string): { model: string; tensor: string } => ({ model, tensor: name });
    return {
      spec: { name, shape, dtype: checkpoints.get("base")!.tensors.get(name)!.dtype },
      base: sourceOf("base"),
      experts: experts.map(sourceOf),
      step: stepAt(recipe, weight, experts),
    };
  });
}

/** Of the weights in a folder, however they are divided. */
async function digestOf(folder: string): Promise<string> {
  writeFileSync(join(folder, "config.json"), "{}");
  await using checkpoint = await Checkpoint.open(folder);
  return await checkpoint.weightsDigest();
}

function spoilEmbeddings(name: string, values: Float32Array): void {
  if (name === "model.embed_tokens.weight") values[77] = Number.NaN;
}

describe("mergeFiles", () => {
  let device: Device;
  beforeAll(async () => {
    device = await openGgml({ backend: "cpu" });
  });
  afterAll(() => device[Symbol.asyncDispose]());

  test.each<["passthrough" | MethodName, Options]>([
    ["passthrough", {}],
    ...methodNames.map((method): [MethodName, Options] => [method, {}]),
    ["nuslerp", { nuslerp_flatten: false }],
    ["task_nuslerp", { nuslerp_flatten: false, nuslerp_row_wise: true }],
    ["model_stock", { filter_wise: true }],
    ["breadcrumbs", { rescale: true }],
  ])("%s with %j has the bits of the device's merge", async (method, options) => {
    const folder = await temporaryFolder();
    await using family = await openTinyFamily(join(folder, "family"), device, { b: { dtype: "f16" } });
    const experts = method === "passthrough" ? allExperts : allExperts.slice(0, declarations[method].experts?.most);
    const curves = recipeOf(2, (layer, expert) => 0.3 + 0.2 * layer + 0.1 * expert).parameters["weight"]!;
    const recipe: Recipe =
      method === "passthrough"
        ? { method, model: "a" }
        : {
            method,
            parameters: Object.fromEntries(declarations[method].parameters.map(({ name }) => [name, curves])),
            options,
          };
    const source = { device, model: family.model, checkpoints: family.checkpoints, base: "base", experts };
    const expected = await mergeWeights(source, recipe, join(folder, "device"));
    const plan = planOf(family, recipe, experts);
    expect(await mergeFiles(plan, family.checkpoints, join(folder, "host"))).toEqual(expected.files);
    const inParts = { threads: 1, partElements: 100 };
    expect(await mergeFiles(plan, family.checkpoints, join(folder, "parts"), inParts)).toEqual(expected.files);
  });

  const recipe: Recipe = recipeOf(2, (layer, expert) => 0.3 + 0.2 * layer + 0.1 * expert);

  test("has the same bytes in one thread and in several, in one file and in shards", async () => {
    const folder = await temporaryFolder();
    await using family = await openTinyFamily(join(folder, "family"), device);
    const plan = planOf(family, recipe, allExperts);
    const merge = (to: string, options: MergeFilesOptions): ReturnType<typeof mergeFiles> =>
      mergeFiles(plan, family.checkpoints, join(folder, to), options);
    const alone = await merge("alone", { threads: 0 });
    expect(await merge("one", { threads: 1 })).toEqual(alone);
    expect(await merge("three", { threads: 3, partElements: 100 })).toEqual(alone);
    const shards = await merge("shards", { threads: 2, maxShardBytes: 4000 });
    expect(shards.length).toBeGreaterThan(3);
    expect(await merge("shards", { threads: 0, maxShardBytes: 4000 })).toEqual(shards);
    for (const { file, sha256 } of shards) expect(sha256Of(readFileSync(join(folder, "shards", file)))).toBe(sha256);
    expect(await digestOf(join(folder, "shards"))).toBe(await digestOf(join(folder, "alone")));
  });

  test("without room for whole tensors, what needs them merges one weight after the other", async () => {
    const folder = await temporaryFolder();
    await using family = await openTinyFamily(join(folder, "family"), device);
    const parameters = declarations.della.parameters.map(({ name }) => [name, recipe.parameters["weight"]!]);
    const plan = planOf(family, { method: "della", parameters: Object.fromEntries(parameters) }, allExperts);
    await using threads = new MergeThreads();
    threads.begin(0, 2);
    const hands = await threads.open(1, undefined);
    let [now, most] = [0, 0];
    const counting = (hand: Hand): Hand => ({
      get pending() {
        return hand.pending;
      },
      do(task) {
        now += 1;
        most = Math.max(most, now);
        return hand.do(task).finally(() => (now -= 1));
      },
      [Symbol.asyncDispose]: () => hand[Symbol.asyncDispose](),
    });
    const counted = { ...hands, merging: hands.merging.map(counting) };
    const order = { plan, checkpoints: family.checkpoints, roomBytes: 0, partElements: 100, signal: undefined };
    const merging = new MergeUnderWay(counted, { ...order, told: () => {} });
    const files = await writeShards(
      join(folder, "host"),
      plan.map(({ spec }) => spec),
      (shards) => merging.fill(shards),
    );
    expect(most).toBe(1);
    const alone = await mergeFiles(plan, family.checkpoints, join(folder, "alone"), { threads: 0 });
    expect(files).toEqual(alone);
  });

  test("merges an adapter, whose tensors lie in no file, as the model that it makes", async () => {
    const folder = await temporaryFolder();
    await using family = await openTinyFamily(join(folder, "family"), device);
    const base = family.checkpoints.get("base")!;
    const adapter = await writeTinyAdapter(join(folder, "adapter"), base.folder);
    await using a = await Checkpoint.open(adapter, { base: base.folder });
    const checkpoints = new Map([...family.checkpoints, ["a", a]]);
    const source = { device, model: family.model, checkpoints, base: "base", experts: allExperts };
    const expected = await mergeWeights(source, recipe, join(folder, "device"));
    for (const threads of [0, 2]) {
      const plan = planOf(family, recipe, allExperts);
      expect(await mergeFiles(plan, checkpoints, join(folder, "host"), { threads })).toEqual(expected.files);
    }
  });

  test("tells how many bytes are done", async () => {
    const folder = await temporaryFolder();
    await using family = await openTinyFamily(join(folder, "family"), device);
    const told: number[][] = [];
    const onProgress = (...bytes: number[]): void => void told.push(bytes);
    const plan = planOf(family, recipe, allExperts);
    await mergeFiles(plan, family.checkpoints, join(folder, "host"), { onProgress });
    const all = plan.reduce((sum, { spec }) => sum + tensorBytes(spec), 0);
    expect(told).toHaveLength(plan.length);
    expect(told.at(-1)).toEqual([all, all]);
    expect(told.map(([done]) => done)).toEqual(told.map(([done]) => done).toSorted((a, b) => a! - b!));
  });

  test.each([0, 2])("refuses what is not finite by its place, and leaves no file (%i threads)", async (threads) => {
    const folder = await temporaryFolder();
    const name = "model.layers.1.mlp.up_proj.weight";
    const edit = (own: string, values: Float32Array): void => {
      if (own === name) values[77] = Number.NaN;
    };
    await using family = await openTinyFamily(join(folder, "family"), device, { b: { edit } });
    const merging = mergeFiles(planOf(family, recipe, allExperts), family.checkpoints, join(folder, "host"), {
      threads,
    });
    const b = family.checkpoints.get("b")!.folder;
    await expect(merging).rejects.toThrow(
      new UserError(`${b}: tensor ${name}: element 77 is NaN or infinite; expected finite weights, use another model`),
    );
    expect(readdirSync(join(folder, "host"))).toEqual([]);
  });

  test.each([0, 2])("of several files, one that cannot be made ends all (%i threads)", async (threads) => {
    const folder = await temporaryFolder();
    await using family = await openTinyFamily(join(folder, "family"), device, { b: { edit: spoilEmbeddings } });
    const merging = mergeFiles(planOf(family, recipe, allExperts), family.checkpoints, join(folder, "host"), {
      threads,
      maxShardBytes: 1500,
    });
    await expect(merging).rejects.toThrow("model.embed_tokens.weight: element 77 is NaN");
    expect(readdirSync(join(folder, "host"))).toEqual([]);
  });

  test("names the element that is not finite where inner products spread it", async () => {
    const folder = await temporaryFolder();
    const spec = { name: "w", shape: [70_000], dtype: "f32" as const };
    const checkpoints = new Map<string, Checkpoint>();
    for (const model of ["base", "a"]) {
      const values = Float32Array.from({ length: 70_000 }, (_, i) =>
        Math.sin(i * model.length + model.codePointAt(0)!),
      );
      if (model === "a") values[69_999] = Number.NaN;
      await writeCheckpoint(join(folder, model), [spec], () => Promise.resolve(new Uint8Array(values.buffer)));
      writeFileSync(join(folder, model, "config.json"), "{}");
      checkpoints.set(model, await Checkpoint.open(join(folder, model)));
    }
    const [base, ...experts] = ["base", "a"].map((model) => ({ model, tensor: "w" }));
    const plan: PlannedWeight[] = [{ spec, base, experts, step: { method: "slerp", values: { t: [0.5] } } }];
    await expect(mergeFiles(plan, checkpoints, join(folder, "host"))).rejects.toThrow(
      "a: tensor w: element 69999 is NaN",
    );
    for (const checkpoint of checkpoints.values()) await checkpoint[Symbol.asyncDispose]();
  });

  test("refuses a result that its type cannot hold, and leaves no file", async () => {
    const folder = await temporaryFolder();
    await using family = await openTinyFamily(join(folder, "family"), device);
    const huge: Recipe = recipeOf(2, () => 1e7);
    const plan = planOf(family, huge, allExperts).map((weight) => ({
      ...weight,
      spec: { ...weight.spec, dtype: "f16" as const },
    }));
    const merging = mergeFiles(plan, family.checkpoints, join(folder, "host"));
    await expect(merging).rejects.toThrow(/element \d+ of the result is NaN or infinite in f16; expected finite/);
    expect(readdirSync(join(folder, "host"))).toEqual([]);
  });

  test.each([0, 2])("says that a parent was cut meanwhile (%i threads)", async (threads) => {
    const folder = await temporaryFolder();
    await using family = await openTinyFamily(join(folder, "family"), device);
    const file = join(family.checkpoints.get("a")!.folder, "model.safetensors");
    truncateSync(file, 3000);
    const merging = mergeFiles(planOf(family, recipe, allExperts), family.checkpoints, join(folder, "host"), {
      threads,
    });
    await expect(merging).rejects.toThrow(
      /model\.safetensors: expected bytes up to \d+, found the end at 3000; it was cut/,
    );
    await expect(merging).rejects.toBeInstanceOf(UserError);
    expect(readdirSync(join(folder, "host"))).toEqual([]);
  });

  test.each([0, 2])("ends with the reason of an abort, and leaves no file (%i threads)", async (threads) => {
    const folder = await temporaryFolder();
    await using family = await openTinyFamily(join(folder, "family"), device);
    const abort = new AbortController();
    const onProgress = (): void => abort.abort(new Error("enough"));
    const plan = planOf(family, recipe, allExperts);
    const options = { threads, signal: abort.signal, onProgress };
    await expect(mergeFiles(plan, family.checkpoints, join(folder, "host"), options)).rejects.toThrow("enough");
    expect(readdirSync(join(folder, "host"))).toEqual([]);
    await expect(mergeFiles(plan, family.checkpoints, join(folder, "host"), options)).rejects.toThrow("enough");
  });
});
