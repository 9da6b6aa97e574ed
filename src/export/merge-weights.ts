import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { WeightsDigest } from "../checkpoint/weights-digest.ts";
import { writeCheckpoint, type WrittenFile } from "../checkpoint/write-checkpoint.ts";
import type { Device, DeviceTensor } from "../device/device.ts";
import { type Expression, input } from "../device/expression.ts";
import type { ScoreOptions } from "../evaluate/scorer.ts";
import { stagePathOf } from "../evaluate/path.ts";
import type { WeightSource } from "../evaluate/route.ts";
import { prepareMerge, type WeightSources } from "../merge/prepare-merge.ts";
import type { StoredValues } from "../tensor/stored-values.ts";
import { mergeTensor } from "../merge/merge-tensor.ts";
import type { Recipe } from "../merge/recipe.ts";
import type { Model } from "../model/architecture.ts";

/** What a merge is made of. */
export interface MergeSource {
  readonly device: Device;
  readonly model: Model;
  /** Base and experts by name. */
  readonly checkpoints: ReadonlyMap<string, Checkpoint>;
  readonly base: string;
  readonly experts: readonly string[];
}

/** Weights on the disk: their digest, however they are divided into files, and the files. */
interface MergedWeights {
  readonly digest: string;
  readonly files: readonly WrittenFile[];
}

/**
 * Merges all weights by a recipe, tensor by tensor with the operations that scored it, and writes them into a folder as
 * safetensors. An abort of the signal throws its reason and leaves no file; `onProgress` is told
 * the share of the weights that is done.
 */
export async function mergeWeights(
  source: MergeSource,
  recipe: Recipe,
  folder: string,
  { signal, onProgress }: Pick<ScoreOptions, "signal" | "onProgress"> = {},
): Promise<MergedWeights> {
  const stored = source.checkpoints.get(source.base)?.tensors;
  const parts = new Map(
    stagePathOf(source, recipe).flatMap(({ stage, sources }) =>
      Object.entries(stage.weights).map(([role, { name, shape }]) => {
        const from = sources[role] ?? absent(name);
        return [name, { from, spec: { name, shape, dtype: stored?.get(from.name)?.dtype ?? "f32" } }] as const;
      }),
    ),
  );
  const digest = new WeightsDigest();
  const specs = Array.from(parts.values(), ({ spec }) => spec);
  let done = 0;
  const files = await writeCheckpoint(folder, specs, async (name) => {
    signal?.throwIfAborted();
    const { from, spec } = parts.get(name) ?? absent(name);
    const bytes = await mergeWeight(source, from);
    await digest.add(spec, bytes);
    done += 1;
    onProgress?.(done / specs.length);
    return bytes;
  });
  return { digest: digest.digest(), files };
}

async function mergeWeight(
  { device, checkpoints, base, experts }: MergeSource,
  { name: weight, step }: WeightSource,
): Promise<Uint8Array> {
  const uploaded: Record<string, DeviceTensor> = {};
  const stored = new Map<string, StoredValues>();
  const results: DeviceTensor[] = [];
  try {
    for (const [name, checkpoint] of checkpoints) {
      const info = checkpoint.tensors.get(weight);
      if (!info) throw new Error(`export: ${name} has no tensor ${weight}`);
      const bytes = await checkpoint.read(weight);
      stored.set(name, { dtype: info.dtype, bytes });
      uploaded[name] = await device.upload(bytes, info.dtype, info.shape);
    }
    const models = Object.fromEntries(Object.entries(uploaded).map(([name, tensor]) => [name, input(tensor)]));
    const shape = checkpoints.get(base)?.tensors.get(weight)?.shape ?? [];
    const sources: WeightSources = {
      weight,
      shape,
      base: stored.get(base) ?? absent(base),
      experts: experts.map((name) => ({ name, stored: stored.get(name) ?? absent(name) })),
    };
    const { facts, leaves } = await prepareMerge(step, sources);
    const onDevice: Record<string, Expression>[] = [];
    for (const [i, own] of leaves.entries()) {
      const ofExpert: Record<string, Expression> = {};
      for (const [name, values] of Object.entries(own)) {
        const tensor = await device.upload(new Uint8Array(values.buffer), "f32", shape);
        uploaded[`${name} ${i}`] = tensor;
        ofExpert[name] = input(tensor);
      }
      onDevice.push(ofExpert);
    }
    const merge = mergeTensor({ models, base, experts, ...facts, leaves: onDevice }, step);
    results.push(...(await device.run([merge])));
    const [merged] = results;
    if (!merged) throw new Error("export: the device returned nothing");
    return await device.read(merged);
  } finally {
    device.free(...results, ...Object.values(uploaded));
  }
}

function absent(name: string): never {
  throw new Error(`export: nothing is known of ${name}`);
}
