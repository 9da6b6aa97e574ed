import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Checkpoint } from "../src/checkpoint/checkpoint.ts";
import { formatHeader } from "../src/checkpoint/safetensors-header.ts";
import { writeCheckpoint } from "../src/checkpoint/write-checkpoint.ts";
import { RandomStream } from "../src/tensor/random.ts";

const RANK = 2;

/** Writes a random LoRA adapter of the query and value projections of a base, which it names as given. */
export async function writeTinyAdapter(
  folder: string,
  base: string,
  { seed = 1, named = base }: { readonly seed?: number; readonly named?: string } = {},
): Promise<string> {
  await using checkpoint = await Checkpoint.open(base);
  const targets = [...checkpoint.tensors.values()].filter(({ name }) =>
    /\.(q|v|q_proj|v_proj|qkv_proj)\.weight$/.test(name),
  );
  const specs = targets.flatMap(({ name, shape: [outputs = 0, inputs = 0] }) => {
    const module = `base_model.model.${name.replace(/\.weight$/, "")}`;
    return [
      { name: `${module}.lora_A.weight`, shape: [RANK, inputs], dtype: "f32" as const },
      { name: `${module}.lora_B.weight`, shape: [outputs, RANK], dtype: "f32" as const },
    ];
  });
  const values = specs.map(({ name, shape: [rows = 0, columns = 0] }) => {
    const random = RandomStream.of(seed, name);
    return Float32Array.from({ length: rows * columns }, () => 0.2 * random.normal());
  });
  mkdirSync(folder, { recursive: true });
  const bytes = [formatHeader(specs), ...values.map(({ buffer }) => new Uint8Array(buffer))];
  writeFileSync(join(folder, "adapter_model.safetensors"), Buffer.concat(bytes));
  const target_modules = [...new Set(targets.map(({ name }) => name.split(".").at(-2)))];
  const config = { peft_type: "LORA", r: RANK, lora_alpha: 4, target_modules };
  writeFileSync(join(folder, "adapter_config.json"), JSON.stringify({ ...config, base_model_name_or_path: named }));
  return folder;
}

/** Writes what an adapter makes of a base as a full model, with neither configuration nor tokenizer. */
export async function writeAdapted(folder: string, adapter: string, base: string): Promise<void> {
  await using checkpoint = await Checkpoint.open(adapter, { base });
  await writeCheckpoint(folder, [...checkpoint.tensors.values()], (name) => checkpoint.read(name));
}
