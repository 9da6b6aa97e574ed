import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { WeightsDigest } from "../checkpoint/weights-digest.ts";
import { writeCheckpoint } from "../checkpoint/write-checkpoint.ts";
import type { Device, DeviceTensor } from "../device/device.ts";
import { input } from "../device/expression.ts";
import type { ScoreOptions } from "../evaluate/generation-scorer.ts";
import type { MergedWeights } from "../merge-files/merge-files.ts";
import { stagePathOf, type WeightSource } from "../evaluate/path.ts";
import { needsGram } from "../merge/declarations.ts";
import { gramOf, type StoredValues } from "../tensor/gram.ts";
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
    const bytes = await mergeWeight(source, from, needsGram(recipe));
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
  needsGrams: boolean,
): Promise<Uint8Array> {
  const uploaded: Record<string, DeviceTensor> = {};
  const stored = new Map<string, StoredValues>();
  const results: DeviceTensor[] = [];
  try {
    for (const [name, checkpoint] of checkpoints) {
      const info = checkpoint.tensors.get(weight);
      if (!info) throw new Error(`export: ${name} has no tensor ${weight}`);
      const bytes = await checkpoint.read(weight);
      if (needsGrams) stored.set(name, { dtype: info.dtype, bytes });
      uploaded[name] = await device.upload(bytes, info.dtype, info.shape);
    }
    const models = Object.fromEntries(Object.entries(uploaded).map(([name, tensor]) => [name, input(tensor)]));
    const valuesOf = (name: string): StoredValues => stored.get(name) ?? absent(name);
    const gram = needsGrams ? await gramOf(valuesOf(base), experts.map(valuesOf)) : undefined;
    const merge = mergeTensor({ models, base, experts, gram }, step);
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
