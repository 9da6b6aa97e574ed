/**
 * What test/parity/starter-kit.py compares: `starter-kit-cases.ts <folder> <kit> ...` writes tiny models as a cache of the
 * Hugging Face Hub (<folder>/hub), evomerge's own merges of them (<folder>/<case>), and their modules into every given
 * checkout of the starter kit, where it applies the patches. Prints the cases as JSON.
 */
import { execFileSync } from "node:child_process";
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { writeCheckpoint } from "../../src/checkpoint/write-checkpoint.ts";
import type { Device } from "../../src/device/device.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { evomergeVersion } from "../../src/files/own-package.ts";
import { BASE } from "../../src/experiment/the-base.ts";
import { exportedConfig } from "../../src/export/exported-config.ts";
import { ParentWeights } from "../../src/evaluate/parent-weights.ts";
import { mergeWeights } from "../../src/export/merge-weights.ts";
import { exportStarterKit } from "../../src/export/starter-kit/export-starter-kit.ts";
import { formatReference } from "../../src/hub/api/reference.ts";
import type { ParentFacts } from "../../src/merge/facts.ts";
import type { Step } from "../../src/merge/recipe.ts";
import { checkWeights, openModel } from "../../src/model/open-model.ts";
import type { Dtype } from "../../src/tensor/dtype.ts";
import { fromFloat32, toFloat32 } from "../../src/tensor/half.ts";
import { writeTinyModel } from "../tiny-model.ts";
import { type KitMerge, recipeOf } from "./starter-kit-recipe.ts";
import { tinyT5Config } from "../tiny-t5.ts";

/** How a parent is stored. */
interface Storage {
  readonly dtype: Dtype;
  /** Of the norms, where it is another. */
  readonly normDtype?: Dtype;
  readonly sharded?: boolean;
  /** Adds the embedding once more as the lm_head that the configuration ties to it. */
  readonly headTwice?: boolean;
  /** Leaves in config.json what quantized weights had there. */
  readonly onceQuantized?: boolean;
}

interface Case extends KitMerge {
  readonly name: string;
  readonly tied?: boolean;
  readonly layers?: number;
  /** Fields of config.json, of another family than Llama. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly base: Storage;
  readonly experts: Readonly<Record<string, Storage>>;
}

const bf16: Storage = { dtype: "bf16" };
const f16: Storage = { dtype: "f16" };
const f32: Storage = { dtype: "f32" };
const [rows, columns] = [{ nuslerp_flatten: false }, { nuslerp_flatten: false, nuslerp_row_wise: true }];

const cases: readonly Case[] = [
  { name: "untied-bf16", method: "task_arithmetic", base: bf16, experts: { nature: bf16, craft: bf16 } },
  {
    name: "tied.f32",
    method: "task_arithmetic",
    tied: true,
    base: { ...f32, headTwice: true },
    experts: { nature: { ...f32, sharded: true, headTwice: true }, craft: bf16, news: f16 },
  },
  {
    name: "sharded-f16",
    method: "linear",
    layers: 11,
    base: { ...f16, sharded: true },
    experts: { nature: { ...bf16, sharded: true }, craft: f32 },
  },
  {
    name: "mixed-norms",
    method: "linear",
    tied: true,
    base: { ...bf16, normDtype: "f32" },
    experts: { nature: bf16, craft: { ...bf16, sharded: true } },
  },
  {
    name: "once-quantized",
    method: "task_arithmetic",
    base: { ...bf16, onceQuantized: true },
    experts: { nature: bf16 },
  },
  {
    name: "by-tensor",
    method: "task_arithmetic",
    tied: true,
    base: bf16,
    experts: { nature: bf16, craft: bf16 },
    byTensor: true,
  },
  {
    name: "by-column",
    method: "task_arithmetic",
    base: { ...bf16, normDtype: "f32" },
    experts: { nature: bf16, craft: f32 },
    byColumn: true,
  },
  {
    name: "by-column-tied-f16",
    method: "linear",
    tied: true,
    base: f16,
    experts: { nature: { ...f16, sharded: true }, craft: f16, news: f16 },
    byColumn: true,
  },
  {
    name: "llama-biases",
    method: "task_arithmetic",
    config: { attention_bias: true, mlp_bias: true },
    base: bf16,
    experts: { nature: bf16, craft: f32 },
    byTensor: true,
  },
  {
    name: "qwen-2",
    method: "linear",
    tied: true,
    layers: 3,
    config: {
      model_type: "qwen2",
      architectures: ["Qwen2ForCausalLM"],
      use_sliding_window: true,
      sliding_window: 64,
      max_window_layers: 1,
    },
    base: { ...bf16, sharded: true },
    experts: { nature: bf16, craft: bf16 },
    byColumn: true,
  },
  {
    name: "phi-3",
    method: "task_arithmetic",
    config: {
      model_type: "phi3",
      architectures: ["Phi3ForCausalLM"],
      partial_rotary_factor: 0.5,
      pad_token_id: null,
      rope_scaling: { type: "longrope", short_factor: [1.5], long_factor: [2] },
    },
    base: bf16,
    experts: { nature: bf16, craft: f32 },
    byTensor: true,
  },
  {
    name: "gemma",
    method: "task_arithmetic",
    tied: true,
    config: { model_type: "gemma", architectures: ["GemmaForCausalLM"], hidden_act: "gelu_pytorch_tanh", head_dim: 8 },
    base: bf16,
    experts: { nature: bf16, craft: bf16 },
  },
  {
    name: "gemma-2",
    method: "task_arithmetic",
    tied: true,
    layers: 3,
    config: { model_type: "gemma2", architectures: ["Gemma2ForCausalLM"], head_dim: 8, sliding_window: 64 },
    base: { ...bf16, sharded: true },
    experts: { nature: bf16, craft: f32 },
    byTensor: true,
  },
  {
    name: "flan-t5",
    method: "task_arithmetic",
    config: t5Config(),
    base: bf16,
    experts: { nature: { ...bf16, sharded: true }, craft: f32 },
    byTensor: true,
  },
  {
    name: "t5",
    method: "linear",
    config: t5Config({ tie_word_embeddings: true, feed_forward_proj: "relu" }),
    base: f32,
    experts: { nature: f32, craft: bf16 },
  },
  { name: "slerp", method: "slerp", tied: true, base: bf16, experts: { nature: { ...bf16, sharded: true } } },
  { name: "nuslerp", method: "nuslerp", base: f32, experts: { nature: f32, craft: bf16 }, byTensor: true },
  { name: "task-nuslerp", method: "task_nuslerp", base: bf16, experts: { nature: bf16, craft: f16 } },
  { name: "multislerp", method: "multislerp", base: bf16, experts: { nature: bf16, craft: bf16, news: bf16 } },
  { name: "nuslerp-rows", method: "nuslerp", options: rows, base: bf16, experts: { nature: bf16, craft: f32 } },
  { name: "task-nuslerp-columns", method: "task_nuslerp", options: columns, base: f32, experts: { a: f32, b: bf16 } },
  {
    name: "t5-model-stock-rows",
    method: "model_stock",
    options: { filter_wise: true },
    config: t5Config(),
    base: f32,
    experts: { nature: bf16, craft: f32 },
  },
  { name: "karcher", method: "karcher", base: f16, experts: { nature: f16, craft: bf16 } },
  { name: "model-stock", method: "model_stock", tied: true, base: bf16, experts: { nature: bf16, craft: f32 } },
  { name: "nearswap", method: "nearswap", tied: true, base: bf16, experts: { nature: f32 } },
  { name: "arcee-fusion", method: "arcee_fusion", base: f32, experts: { nature: { ...bf16, sharded: true } } },
  {
    name: "sce",
    method: "sce",
    config: t5Config(),
    base: bf16,
    experts: { nature: bf16, craft: f32, news: bf16 },
    byTensor: true,
  },
  {
    name: "t5-task-multislerp",
    method: "task_multislerp",
    config: t5Config(),
    base: bf16,
    experts: { nature: { ...bf16, sharded: true }, craft: f32 },
    byTensor: true,
  },
  { name: "ties", method: "ties", options: { rescale: true }, base: bf16, experts: { nature: bf16, craft: bf16 } },
  { name: "breadcrumbs-ties", method: "breadcrumbs_ties", base: f32, experts: { nature: f32, craft: bf16, news: f16 } },
  { name: "dare", method: "dare_linear", base: bf16, experts: { nature: bf16, craft: f32 } },
  {
    name: "dare-ties",
    method: "dare_ties",
    tied: true,
    base: f32,
    experts: { nature: f32, craft: bf16 },
    byTensor: true,
  },
  { name: "della", method: "della", base: f32, experts: { nature: f32, craft: bf16, news: f16 } },
  { name: "della-linear", method: "della_linear", base: bf16, experts: { nature: bf16, craft: bf16 } },
  { name: "1-model", method: "passthrough", base: bf16, experts: { nature: f32, craft: bf16 } },
];

/** The window of which the script knows; transformers 5.24 generates by no model with more decoder layers than encoder layers. */
function t5Config(fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return tinyT5Config({ n_positions: 256, num_layers: 3, num_decoder_layers: 2, ...fields });
}

const tokenizer = join(import.meta.dirname, "../fixtures/tasks/tokenizers/byte-level-bos");

async function writeCase(device: Device, folder: string, kits: readonly string[], given: Case): Promise<object> {
  const parents = Object.entries({ [BASE]: given.base, ...given.experts });
  const references: Record<string, string> = {};
  const checkpoints = new Map<string, Checkpoint>();
  for (const [i, [parent, storage]] of parents.entries()) {
    const reference = { name: `tiny/${given.name}-${parent}`, revision: `${i}`.repeat(40) };
    references[parent] = formatReference(reference);
    checkpoints.set(parent, await writeParent(folder, reference, given, { seed: i, storage }));
  }
  const base = checkpoints.get(BASE)!;
  const model = openModel(base, "f32");
  for (const checkpoint of checkpoints.values()) checkWeights(model, checkpoint);
  const experts = Object.keys(given.experts);
  const recipe = recipeOf(given, experts, model);
  await mergeWeights({ device, model, checkpoints, base: BASE, experts }, recipe, join(folder, given.name));
  for (const file of await readdir(base.folder)) {
    if (!file.includes("safetensors")) await copyFile(join(base.folder, file), join(folder, given.name, file));
  }
  const config = await readFile(join(base.folder, "config.json"), "utf8");
  await writeFile(join(folder, given.name, "config.json"), exportedConfig(config, "config.json", "bf16").text);
  const experiment = {
    name: given.name,
    base: references[BASE]!,
    experts: experts.map((name) => ({ name, path: references[name]! })),
  };
  await using weights = new ParentWeights(device, checkpoints);
  const measure = (name: string, step: Step): Promise<ParentFacts> => weights.measure(name, step);
  const input = { experiment, recipe, measure, model, baseTensors: base.tensors, version: evomergeVersion() };
  const exports: object[] = [];
  for (const kit of kits.map((kit) => resolve(kit))) {
    const exported = await exportStarterKit(input, kit);
    execFileSync("git", ["apply", exported.patch!], { cwd: kit });
    exports.push(exported);
  }
  for (const checkpoint of checkpoints.values()) await checkpoint[Symbol.asyncDispose]();
  return { name: given.name, exports };
}

/** A model as huggingface_hub caches it; shards of 20 kB where it is sharded. */
async function writeParent(
  folder: string,
  { name, revision }: { readonly name: string; readonly revision: string },
  { tied = false, layers = 2, config: fields = {} }: Case,
  { seed, storage }: { readonly seed: number; readonly storage: Storage },
): Promise<Checkpoint> {
  const cached = join(folder, "hub", `models--${name.replace("/", "--")}`);
  const snapshot = join(cached, "snapshots", revision);
  const perturbed = { seed, by: seed === 0 ? 0 : 0.1 };
  await mkdir(join(cached, "refs"), { recursive: true });
  await writeFile(join(cached, "refs", "main"), revision);
  const quantized = { quantization_config: { quant_method: "bitsandbytes", load_in_4bit: true } };
  const config = { ...fields, ...(storage.onceQuantized && quantized) };
  await writeTinyModel(snapshot, { tied, layers, dtype: "f32", tokenizer, perturbed, config });
  const values = await tensorsOf(snapshot);
  const embedding = values.get("model.embed_tokens.weight")!;
  if (storage.headTwice) values.set("lm_head.weight", embedding);
  const dtypeOf = (tensor: string): Dtype => (tensor.endsWith("norm.weight") && storage.normDtype) || storage.dtype;
  const specs = Array.from(values, ([tensor, { shape }]) => ({ name: tensor, shape, dtype: dtypeOf(tensor) }));
  await writeCheckpoint(
    snapshot,
    specs,
    async (tensor) => fromFloat32(values.get(tensor)!.values, dtypeOf(tensor)),
    storage.sharded ? { maxShardBytes: 20_000 } : {},
  );
  return Checkpoint.open(snapshot);
}

async function tensorsOf(snapshot: string): Promise<Map<string, { shape: readonly number[]; values: Float32Array }>> {
  await using checkpoint = await Checkpoint.open(snapshot);
  const tensors = new Map<string, { shape: readonly number[]; values: Float32Array }>();
  for (const { name, shape, dtype } of checkpoint.tensors.values()) {
    tensors.set(name, { shape, values: toFloat32(await checkpoint.read(name), dtype) });
  }
  return tensors;
}

const [folder = "", ...kits] = process.argv.slice(2);
await using device = await openGgml({ backend: "cpu" });
const written: object[] = [];
for (const given of cases) written.push(await writeCase(device, folder, kits, given));
process.stdout.write(JSON.stringify(written));
