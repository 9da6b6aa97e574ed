/**
 * How fast a GPU merges the weights of a layer of Llama 3 8B, base and three experts in bf16, in bytes that must be moved: parents read once, merges
 * written once; beside copies of such weights by the same engine. What it makes is compared with what a CPU does.
 *
 *     npx tsx bench/merge-kernels.ts [--hidden 4096] [--repeats 20] [--candidates 1,8,32]
 *
 * Takes 4 GB of the GPU's memory, and a minute at most.
 */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import type { Device, DeviceTensor } from "../src/device/device.ts";
import { add, cast, input, scale, sub, type Expression } from "../src/device/expression.ts";
import { openGgml } from "../src/device/ggml/engine.ts";
import { bytesPerElement, elementCount, type Shape } from "../src/tensor/dtype.ts";
import { machine } from "./machine.ts";

const { values } = parseArgs({
  options: {
    hidden: { type: "string", default: "4096" },
    repeats: { type: "string", default: "20" },
    candidates: { type: "string", default: "1,8,32" },
  },
});
const hidden = Number(values.hidden);
const PARENTS = 4;
const small = [hidden / 4, hidden];
const square = [hidden, hidden];
const wide = [3.5 * hidden, hidden];
const shapes: readonly Shape[] = [square, small, small, square, wide, wide, wide.toReversed()];
const elements = shapes.reduce((sum, shape) => sum + elementCount(shape), 0);

await using device = await openGgml({ backend: "gpu" });
await using cpu = await openGgml({ backend: "cpu" });
console.log(`${machine()}; ${device.name}, merges ${device.mergesAtOnce ? "at once" : "operation by operation"}`);

/** Random weights of about the size of 1, which are none of them subnormal. */
const bytes = randomBytes(2 * elementCount(wide));
for (let i = 1; i < bytes.length; i += 2) bytes[i] = (bytes[i]! & 0x80) | 0x3d | (bytes[i]! & 1);

const layer = await Promise.all(shapes.map((shape, i) => parentsOn(device, shape, i)));
await compare();
await rate("copies", PARENTS * 2 * 2, () => [layer.flatMap((parents) => parents.map((parent) => input(parent)))]);
for (const count of values.candidates.split(",").map(Number)) {
  const factors = Array.from({ length: count }, (_, i) => 0.3 + i / 100);
  const merged = (): Expression[][] => layer.map((parents) => merges(parents, factors));
  const moved = (PARENTS + count) * bytesPerElement.bf16;
  await rate(`${count} merged, a run for the layer`, moved, () => [merged().flat()]);
  await rate(`${count} merged, a run for each weight`, moved, merged);
}

async function parentsOn(on: Device, shape: Shape, weight: number): Promise<DeviceTensor[]> {
  const parts = Array.from({ length: PARENTS }, (_, i) => {
    const [from, length] = [2 * (7 * i + weight), 2 * elementCount(shape)];
    return Buffer.concat([
      bytes.subarray(from, from + length),
      bytes.subarray(0, Math.max(0, from + length - bytes.length)),
    ]);
  });
  return Promise.all(parts.map((part) => on.upload(part, "bf16", shape)));
}

function merges(parents: readonly DeviceTensor[], factors: readonly number[]): Expression[] {
  const [base, ...experts] = parents.map((parent) => cast(input(parent), "f32"));
  const differences = experts.map((expert) => sub(expert, base!));
  return factors.map((factor) =>
    cast(
      differences.map((own, i) => scale(own, factor / (i + 1))).reduce((sum, term) => add(sum, term), base!),
      "bf16",
    ),
  );
}

/** The rate of all runs of a layer, of which one begins as soon as its lane has it. */
async function rate(
  name: string,
  bytesAnElement: number,
  runs: () => readonly (readonly Expression[])[],
): Promise<void> {
  const once = async (): Promise<void> => {
    await Promise.all(runs().map(async (outputs) => device.free(...(await device.run(outputs)))));
  };
  await once();
  await once();
  const cpuBefore = process.cpuUsage();
  const seconds: number[] = [];
  for (let i = 0; i < Number(values.repeats); i++) {
    const began = performance.now();
    await once();
    seconds.push((performance.now() - began) / 1e3);
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  const median = seconds.toSorted((a, b) => a - b)[seconds.length >> 1]!;
  const figures = [(bytesAnElement * elements) / median / 1e9, median * 1e3, (user + system) / 1e3 / seconds.length];
  const [gigabytes, wall, own] = figures.map((figure) => figure.toPrecision(4));
  console.log(`${name.padEnd(36)} ${gigabytes} GB/s, ${wall} ms a layer, of which ${own} ms of a core`);
}

/** The bits of one weight's merges. */
async function compare(): Promise<void> {
  const found = await Promise.all(
    [device, cpu].map(async (on) => {
      const parents = await parentsOn(on, small, 1);
      const results = await on.run(merges(parents, [0.3, -0.7]));
      const read = await Promise.all(results.map((result) => on.read(result)));
      on.free(...results, ...parents);
      return read;
    }),
  );
  const isSame = found[0]!.every((own, i) => Buffer.compare(own, found[1]![i]!) === 0);
  console.log(isSame ? "the same bits as on a CPU" : "OTHER BITS than on a CPU");
}
