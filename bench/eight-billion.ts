/** A base and two experts of the shapes of Llama 3 8B, whose files share what can be shared. */
import { copyFile, link, mkdir, open, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeCheckpoint } from "../src/checkpoint/write-checkpoint.ts";
import { allWeights } from "../src/model/architecture.ts";
import { openModel } from "../src/model/open-model.ts";
import { elementCount } from "../src/tensor/dtype.ts";
import { fromFloat32 } from "../src/tensor/half.ts";
import { RandomStream } from "../src/tensor/random.ts";

const llama8B = {
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

/** A file for each layer, about. */
const SHARD_BYTES = 5e8;

/** Their folders by name, in the folder that they were written to. */
export function eightBillionIn(folder: string): Map<string, string> {
  return new Map(["base", "a", "b"].map((name) => [name, join(folder, name)]));
}

/**
 * Writes them in bf16 with so many layers, and returns their folders by name. One file of each expert is its own, the rest are
 * links to the base's: they are read from each model all the same.
 */
export async function writeEightBillion(folder: string, layers: number): Promise<Map<string, string>> {
  const folders = eightBillionIn(folder);
  const config = { ...llama8B, num_hidden_layers: layers };
  const base = folders.get("base")!;
  for (const own of folders.values()) {
    await mkdir(own, { recursive: true });
    await writeFile(join(own, "config.json"), JSON.stringify(config));
  }
  await writeBase(base, config);
  const files = (await readdir(base)).filter((file) => file.startsWith("model")).toSorted();
  for (const [seed, name] of ["a", "b"].entries()) {
    for (const file of files) await link(join(base, file), join(folders.get(name)!, file));
    // Behind the embedding's comes that of the first layer.
    await replace(join(folders.get(name)!, files[1]!), noiseOf(seed + 1));
  }
  return folders;
}

async function writeBase(folder: string, config: Readonly<Record<string, unknown>>): Promise<void> {
  const weights = allWeights(openModel({ folder, config }, "f32"));
  const sizes = new Map(weights.map(({ name, shape }) => [name, 2 * elementCount(shape)]));
  const noise = noiseOf(0);
  const produce = async (name: string): Promise<Uint8Array> => {
    const bytes = new Uint8Array(sizes.get(name) ?? 0);
    for (let at = 0; at < bytes.length; at += noise.length) bytes.set(noise.subarray(0, bytes.length - at), at);
    return bytes;
  };
  const specs = weights.map(({ name, shape }) => ({ name, shape, dtype: "bf16" as const }));
  await writeCheckpoint(folder, specs, produce, { maxShardBytes: SHARD_BYTES });
}

/** A file of its own in the place of a link, of other noise behind the header. */
async function replace(path: string, noise: Uint8Array): Promise<void> {
  await copyFile(path, `${path}.own`);
  await rename(`${path}.own`, path);
  await using file = await open(path, "r+");
  const { size } = await file.stat();
  const length = Buffer.alloc(8);
  await file.read(length, 0, 8, 0);
  for (let at = 8 + Number(length.readBigUInt64LE()); at < size; at += noise.length)
    await file.write(noise, 0, Math.min(noise.length, size - at), at);
}

/** Speed does not depend on it, and so every weight is the same noise, over and over. */
function noiseOf(seed: number): Uint8Array {
  const stream = RandomStream.of(seed, "noise");
  const values = Float32Array.from({ length: 2 ** 20 }, () => 0.02 * stream.normal());
  return fromFloat32(values, "bf16");
}
