import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeCheckpoint } from "../src/checkpoint/write-checkpoint.ts";
import { allWeights, type Model } from "../src/model/architecture.ts";
import { openModel } from "../src/model/open-model.ts";
import { Tokenizer } from "../src/model/tokenizer/tokenizer.ts";
import { elementCount, type Dtype } from "../src/tensor/dtype.ts";
import { fromFloat32 } from "../src/tensor/half.ts";
import { RandomStream } from "../src/tensor/random.ts";

export interface TinyModel {
  /** 2 unless given. */
  readonly layers?: number;
  /** A multiple of 8; 16 unless given. */
  readonly hidden?: number;
  /** 40 unless given, or that of the tokenizer. */
  readonly vocabulary?: number;
  /** Models of equal seed and shape have equal weights. */
  readonly seed?: number;
  /** bf16 unless given. */
  readonly dtype?: Dtype;
  readonly tied?: boolean;
  /** Noise to add to every weight, which makes an expert of the model without it. */
  readonly perturbed?: { readonly seed: number; readonly by: number };
  /** Folder to copy tokenizer.json and tokenizer_config.json from. */
  readonly tokenizer?: string;
  /** Fields of config.json to add or replace. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Changes the values of a weight before they are rounded to `dtype`. */
  readonly edit?: (name: string, values: Float32Array) => void;
}

/** Writes a random Llama, or what `config` makes of it, as a Hugging Face folder and returns the folder. */
export async function writeTinyModel(folder: string, options: TinyModel = {}): Promise<string> {
  const { tokenizer, dtype = "bf16" } = options;
  await mkdir(folder, { recursive: true });
  const config = tinyConfig({ ...options, ...(tokenizer && { vocabulary: await copyTokenizer(tokenizer, folder) }) });
  await writeFile(join(folder, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
  const weights = allWeights(openModel({ folder, config }, "f32"));
  const specs = weights.map(({ name, shape }) => ({ name, shape, dtype }));
  await writeCheckpoint(folder, specs, async (name) => {
    const values = randomWeight(name, elementCount(specs.find((spec) => spec.name === name)!.shape), options);
    options.edit?.(name, values);
    return fromFloat32(values, dtype);
  });
  return folder;
}

/** Such a model without weights. */
export function tinyModel(options: Omit<TinyModel, "tokenizer"> = {}): Model {
  return openModel({ folder: "", config: tinyConfig(options) }, "f32");
}

/** The config.json of such a model: four heads that share two key and value heads; a T5 has no fields but its own. */
export function tinyConfig(options: Omit<TinyModel, "tokenizer"> = {}): Record<string, unknown> {
  const { layers = 2, hidden = 16, vocabulary = 40, tied = false, config } = options;
  if (config?.["model_type"] === "t5")
    return { vocab_size: vocabulary, ...config, ...(options.vocabulary && { vocab_size: vocabulary }) };
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: vocabulary,
    hidden_size: hidden,
    intermediate_size: 2 * hidden,
    num_hidden_layers: layers,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 256,
    rms_norm_eps: 1e-5,
    hidden_act: "silu",
    tie_word_embeddings: tied,
    rope_theta: 500,
    ...config,
  };
}

async function copyTokenizer(from: string, to: string): Promise<number> {
  for (const file of ["tokenizer.json", "tokenizer_config.json"]) await copyFile(join(from, file), join(to, file));
  return (await Tokenizer.describe(from)).vocabularySize;
}

function randomWeight(name: string, length: number, { seed = 1, perturbed }: TinyModel): Float32Array {
  const isNorm = name.endsWith("norm.weight");
  const weight = RandomStream.of(seed, name);
  const noise = RandomStream.of(perturbed?.seed ?? 0, "perturbed", name);
  return Float32Array.from({ length }, () => {
    const value = isNorm ? 1 + 0.2 * weight.normal() : 0.35 * weight.normal();
    return perturbed ? value + perturbed.by * noise.normal() : value;
  });
}
