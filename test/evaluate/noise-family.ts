import { join } from "node:path";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import type { Device } from "../../src/device/device.ts";
import { GenerationScorer } from "../../src/evaluate/generation-scorer.ts";
import { ParentWeights } from "../../src/evaluate/parent-weights.ts";
import { checkWeights, openModel } from "../../src/model/open-model.ts";
import type { Dtype } from "../../src/tensor/dtype.ts";
import { writeTinyModel } from "../tiny-model.ts";
import { experts, type TinyFamily, weightsOptions } from "./tiny-family.ts";

export interface NoiseFamilyOptions {
  readonly config: Readonly<Record<string, unknown>>;
  readonly dtype: Dtype;
  readonly resident?: boolean;
  readonly batchTokens?: number;
}

/** A base and two experts whose weights follow from their names, as in fixtures/evaluate/make-gradients.py. */
export async function openNoiseFamily(
  folder: string,
  device: Device,
  { config, dtype, resident = true, batchTokens = 64 }: NoiseFamilyOptions,
): Promise<TinyFamily> {
  const checkpoints = new Map<string, Checkpoint>();
  for (const parent of ["base", ...experts]) {
    const edit = (name: string, values: Float32Array): void => fill(values, parent, name);
    checkpoints.set(parent, await Checkpoint.open(await writeTinyModel(join(folder, parent), { config, dtype, edit })));
  }
  const model = openModel(checkpoints.get("base")!, "f32");
  for (const checkpoint of checkpoints.values()) checkWeights(model, checkpoint);
  const parents = new ParentWeights(device, checkpoints, weightsOptions(resident));
  const scorer = new GenerationScorer({ device, model, parents, base: "base", experts, batchTokens });
  const close = async (): Promise<void> => {
    await parents[Symbol.asyncDispose]();
    for (const checkpoint of checkpoints.values()) await checkpoint[Symbol.asyncDispose]();
  };
  return { folder, model, checkpoints, parents, scorer, [Symbol.asyncDispose]: close };
}

function fill(values: Float32Array, parent: string, name: string): void {
  const own = noise(`${parent} ${name}`);
  const base = noise(`base ${name}`);
  for (const i of values.keys()) {
    const value = name.endsWith("norm.weight") ? 1 + 0.3 * base(i) : 0.5 * base(i);
    values[i] = parent === "base" ? value : value + 0.25 * own(i);
  }
}

/** Numbers from -1 to 1 that depend on a text only: FNV-1a, then lowbias32 of a counter. */
function noise(key: string): (i: number) => number {
  let seed = 2_166_136_261;
  for (const byte of Buffer.from(key)) seed = Math.imul(seed ^ byte, 16_777_619);
  return (i) => {
    let x = seed + Math.imul(i + 1, 0x9e_37_79_b9);
    x = Math.imul(x ^ (x >>> 16), 0x21_f0_aa_ad);
    x = Math.imul(x ^ (x >>> 15), 0x73_5a_2d_97);
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 31 - 1;
  };
}
