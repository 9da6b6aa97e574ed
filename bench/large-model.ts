import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeCheckpoint } from "../src/checkpoint/write-checkpoint.ts";
import { allWeights } from "../src/model/architecture.ts";
import { openModel } from "../src/model/open-model.ts";
import { elementCount } from "../src/tensor/dtype.ts";
import { fromFloat32 } from "../src/tensor/half.ts";
import { RandomStream } from "../src/tensor/random.ts";

/** A Llama of 38 million weights, or 6.3 million more for each further layer: large enough that matrix products outweigh everything else. */
const configOf = (layers: number): Record<string, unknown> => ({
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  vocab_size: 8192,
  hidden_size: 768,
  intermediate_size: 2048,
  num_hidden_layers: layers,
  num_attention_heads: 12,
  num_key_value_heads: 4,
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-6,
  hidden_act: "silu",
  tie_word_embeddings: false,
});

/** Writes such a model with random weights in bf16 and the tokenizer of another model. */
export async function writeLargeModel(folder: string, tokenizer: string, seed: number, layers = 4): Promise<void> {
  const config = configOf(layers);
  await mkdir(folder);
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  for (const file of ["tokenizer.json", "tokenizer_config.json"]) {
    await copyFile(join(tokenizer, file), join(folder, file));
  }
  const weights = allWeights(openModel({ folder, config }, "f32"));
  const specs = weights.map(({ name, shape }) => ({ name, shape, dtype: "bf16" as const }));
  // Speed does not depend on the values: every weight is the same noise, over and over.
  const stream = RandomStream.of(seed, "noise");
  const noise = fromFloat32(
    Float32Array.from({ length: 2 ** 16 }, () => 0.02 * stream.normal()),
    "bf16",
  );
  await writeCheckpoint(folder, specs, async (name) => {
    const bytes = new Uint8Array(2 * elementCount(specs.find((spec) => spec.name === name)!.shape));
    for (let at = 0; at < bytes.length; at += noise.length) bytes.set(noise.subarray(0, bytes.length - at), at);
    return bytes;
  });
}
