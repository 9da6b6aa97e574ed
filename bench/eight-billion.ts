/** A base and experts of the shapes of Llama 3 8B, whose files share what can be shared, and merges of them. */
import { link, mkdir, open, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type PlannedShard, planShards } from "../src/checkpoint/plan-shards.ts";
import { INDEX_FILE } from "../src/checkpoint/weight-files.ts";
import type { MergeRecipe } from "../src/merge/recipe.ts";
import { allWeights } from "../src/model/architecture.ts";
import { openModel } from "../src/model/open-model.ts";
import { fromFloat32 } from "../src/tensor/half.ts";
import { RandomStream } from "../src/tensor/random.ts";

export const llama8B = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  vocab_size: 128_256,
  hidden_size: 4096,
  intermediate_size: 14_336,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  max_position_embeddings: 8192,
  rms_norm_eps: 1e-5,
  rope_theta: 500_000,
  hidden_act: "silu",
  tie_word_embeddings: false,
};

/** A config.json with some of its numbers. */
export type LlamaShape = Partial<typeof llama8B>;

/** A file for each layer, about. */
const SHARD_BYTES = 5e8;

/** Their folders by name, in the folder that they were written to. */
export function eightBillionIn(folder: string, experts: readonly string[] = ["a", "b"]): Map<string, string> {
  return new Map(["base", ...experts].map((name) => [name, join(folder, name)]));
}

/**
 * Writes them in bf16 with these numbers of a config, and returns their folders by name. One file of each expert is its own, the rest are
 * links to the base's: they are read from each model all the same.
 */
export async function writeEightBillion(
  folder: string,
  shape: LlamaShape,
  experts: readonly string[] = ["a", "b"],
): Promise<Map<string, string>> {
  const folders = eightBillionIn(folder, experts);
  const config = { ...llama8B, ...shape };
  const weights = allWeights(openModel({ folder, config }, "f32"));
  const specs = weights.map(({ name, shape: own }) => ({ name, shape: own, dtype: "bf16" as const }));
  const { shards, index } = planShards(specs, SHARD_BYTES);
  // Behind the embedding's comes that of the first layer.
  const own = Math.min(1, shards.length - 1);
  for (const [seed, name] of [...folders.keys()].entries()) {
    const at = folders.get(name)!;
    await mkdir(at, { recursive: true });
    await writeFile(join(at, "config.json"), JSON.stringify(config));
    if (index !== undefined) await writeFile(join(at, INDEX_FILE), index);
    const noise = noiseOf(seed);
    const put = async (shard: PlannedShard, i: number): Promise<void> => {
      const path = join(at, shard.file);
      await rm(path, { force: true });
      if (seed === 0 || i === own) await writeShard(path, shard, noise);
      else await link(join(folders.get("base")!, shard.file), path);
    };
    await Promise.all(shards.map(put));
  }
  return folders;
}

/** Noise over and over, and norms of ones; nobody needs such a file after a crash, or its hash. */
async function writeShard(path: string, { header, tensors }: PlannedShard, noise: Uint8Array): Promise<void> {
  await using file = await open(path, "w");
  await file.write(header, 0, header.length, 0);
  for (const { shape, start, bytes } of tensors) {
    const values = shape.length === 1 ? ones : noise;
    for (let at = 0; at < bytes; at += values.length)
      await file.write(values, 0, Math.min(values.length, bytes - at), start + at);
  }
}

const ones = fromFloat32(new Float32Array(4096).fill(1), "bf16");

/** Speed does not depend on it, and so every weight is the same noise, over and over. */
function noiseOf(seed: number): Uint8Array {
  const stream = RandomStream.of(seed, "noise");
  const values = Float32Array.from({ length: 2 ** 20 }, () => 0.02 * stream.normal());
  return fromFloat32(values, "bf16");
}

/** A merge whose coefficients differ in every layer, and are larger by `more`. */
export function mergeOfLayers(layers: number, experts: readonly string[], more: number): MergeRecipe {
  const curve = { layers: Array.from({ length: layers }, (_, i) => 0.3 + more + i / (3 * layers)), rest: 0.4 + more };
  const groups = ["attention", "mlp", "norm", "embedding"].map((group) => [
    group,
    Object.fromEntries(experts.map((expert) => [expert, curve])),
  ]);
  return { method: "task_arithmetic", parameters: { weight: Object.fromEntries(groups) } };
}
