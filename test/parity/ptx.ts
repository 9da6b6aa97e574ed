/**
 * Assembles the kernels of merges by NVIDIA's own assembler, for GPUs from Ampere to Blackwell, and prints what they take of them:
 *
 *     pip install --no-deps --target cuda nvidia-cuda-nvcc
 *     npx tsx test/parity/ptx.ts cuda/nvidia/cu13/bin/ptxas
 *
 * Needs no GPU. Exits with 1 where a kernel is refused, or keeps in memory what registers have no room for.
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  abs,
  add,
  cast,
  constant,
  input,
  mul,
  scale,
  step,
  sub,
  type Expression,
} from "../../src/device/expression.ts";
import { kernelsOf } from "../../src/device/ggml/cuda/chain-kernels.ts";
import { ptxOf } from "../../src/device/ggml/cuda/ptx.ts";
import type { Dtype } from "../../src/tensor/dtype.ts";

const [ptxas = "ptxas"] = process.argv.slice(2);
const shape = [4096, 4096];
const dtypes: readonly Dtype[] = ["bf16", "f16", "f32"];

const merges = dtypes.flatMap((dtype) =>
  [1, 8, 32].map((count) => ({ name: `${count} merges of three experts, ${dtype}`, outputs: mergesOf(dtype, count) })),
);
const folder = await mkdtemp(join(tmpdir(), "ptx-"));
try {
  for (const { name, outputs } of [...merges, { name: "what is repeated, and every conversion", outputs: others() }]) {
    for (const kernel of kernelsOf(outputs) ?? []) {
      const file = join(folder, "kernel.ptx");
      await writeFile(file, ptxOf(kernel));
      const taken = ["sm_80", "sm_90", "sm_100"].map((target) => `${target}: ${registersOf(file, target)}`);
      process.stdout.write(`${name}: registers, wide and narrow, ${taken.join(", ")}\n`);
    }
  }
} finally {
  await rm(folder, { recursive: true });
}

function mergesOf(dtype: Dtype, count: number): Expression[] {
  const [base, ...experts] = [0, 1, 2, 3].map(() => cast(input({ dtype, shape }), "f32"));
  const differences = experts.map((expert) => sub(expert, base!));
  return Array.from({ length: count }, () =>
    cast(
      differences.map((own) => scale(own, 0.5)).reduce((sum, term) => add(sum, term), base!),
      dtype,
    ),
  );
}

function others(): Expression[] {
  const [x, y, z] = dtypes.map((dtype) => cast(input({ dtype, shape }), "f32")) as [Expression, Expression, Expression];
  const byColumn = mul(sub(x, y), constant(new Float32Array(4096), [1, 4096]));
  const byRow = mul(abs(z), constant(new Float32Array(4096), [4096, 1]));
  return dtypes.map((dtype) => cast(add(byColumn, step(byRow)), dtype));
}

/** Of the kernels of a file, as the assembler tells it. */
function registersOf(file: string, target: string): string {
  const args = ["-v", `-arch=${target}`, file, "-o", `${file}.cubin`];
  // What it tells goes to standard error.
  const told = execFileSync("sh", ["-c", 'exec "$0" "$@" 2>&1', ptxas, ...args], { encoding: "utf8" });
  const spilt = told.match(/\b[1-9]\d* bytes (?:stack frame|spill)/g);
  if (spilt) throw new Error(`${file} for ${target}: ${spilt.join(", ")}`);
  const used = Array.from(told.matchAll(/Used (\d+) registers/g), ([, count]) => count);
  return used.toReversed().join(" and ");
}
