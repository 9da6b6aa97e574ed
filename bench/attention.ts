/**
 * Attention in bf16 by its products and in one node, in turn: time, work space, and how far 64 rows of results are from f64.
 *
 *     npx tsx bench/attention.ts [--backend gpu] [--batch 4] [--length 512] [--heads 32] [--kv-heads 8] [--width 128] [--repetitions 5]
 *
 * Where the backend has no such node for these sizes, both rows are of products.
 */
import { parseArgs } from "node:util";
import type { Device } from "../src/device/device.ts";
import { type Expression, input } from "../src/device/expression.ts";
import { openGgml } from "../src/device/ggml/engine.ts";
import { attention } from "../src/device/layers.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import { causalMask, f32Bytes, f32Values, generator } from "../test/device/sample-values.ts";
import { interleave, timed, type Timing } from "./interleave.ts";
import { machine } from "./machine.ts";

const { values: given } = parseArgs({
  options: {
    backend: { type: "string", default: "gpu" },
    batch: { type: "string", default: "4" },
    length: { type: "string", default: "512" },
    heads: { type: "string", default: "32" },
    "kv-heads": { type: "string", default: "8" },
    width: { type: "string", default: "128" },
    repetitions: { type: "string", default: "5" },
  },
});
const backend = given.backend === "cpu" ? "cpu" : "gpu";
const [batch, length, heads, kvHeads, width] = [
  Number(given.batch),
  Number(given.length),
  Number(given.heads),
  Number(given["kv-heads"]),
  Number(given.width),
];
const factor = 1 / Math.sqrt(width);

const random = generator(1);
/** Spread about as those of a real model's heads are. */
const drawn = (count: number, size: number): Float32Array =>
  Float32Array.from({ length: batch * length * count * width }, () => size * (random() + random() + random()));
const [query, key, value] = [drawn(heads, 1.5), drawn(kvHeads, 1.5), drawn(kvHeads, 1)] as const;

/** What a head makes of one token, in f64. */
function exactRow(place: number, head: number): Float64Array {
  const [sequence, token] = [Math.floor(place / length), place % length];
  const at = (t: number): number => ((sequence * length + t) * kvHeads + Math.floor((head * kvHeads) / heads)) * width;
  const own = (place * heads + head) * width;
  const weights = Array.from({ length: token + 1 }, (_, t) => {
    let score = 0;
    for (let k = 0; k < width; k++) score += query[own + k]! * key[at(t) + k]!;
    return Math.exp(factor * score);
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const row = new Float64Array(width);
  for (const [t, weight] of weights.entries())
    for (let k = 0; k < width; k++) row[k]! += (weight / total) * value[at(t) + k]!;
  return row;
}

/** Root of the mean square of errors, of some rows, by that of the results. */
function errorOf(found: Float32Array, rows = 64): number {
  let [error, size] = [0, 0];
  for (let i = 0; i < rows; i++) {
    const row = Math.floor(((i + 0.5) * batch * length * heads) / rows);
    for (const [k, exact] of exactRow(Math.floor(row / heads), row % heads).entries()) {
      error += (found[row * width + k]! - exact) ** 2;
      size += exact ** 2;
    }
  }
  return Math.sqrt(error / size);
}

async function onDevice(device: Device): Promise<Expression> {
  const upload = async (numbers: ArrayLike<number>, ...shape: number[]): Promise<Expression> =>
    input(await device.upload(f32Bytes(numbers), "f32", shape));
  const operands = {
    query: await upload(query, batch, length, heads, width),
    key: await upload(key, batch, length, kvHeads, width),
    value: await upload(value, batch, length, kvHeads, width),
    mask: await upload(causalMask(batch, length), batch, length, length),
  };
  return attention(operands, { factor, precision: "bf16" });
}

const devices = {
  products: await openGgml({ backend, fusesAttention: false }),
  "one node": await openGgml({ backend, fusesAttention: true }),
};
const names = Object.keys(devices) as (keyof typeof devices)[];
const [works, errors] = [{} as Record<keyof typeof devices, () => Promise<Timing>>, new Map<string, number>()];
for (const name of names) {
  const device = devices[name];
  const output = await onDevice(device);
  const [result] = await device.run([output]);
  errors.set(name, errorOf(f32Values(await device.read(result!))));
  device.free(result!);
  works[name] = () => timed(async () => device.free(...(await device.run([output]))));
}
const timings = await interleave(works, Number(given.repetitions));
console.log(`${devices.products.name}\n${machine()}`);
console.log(`${batch} sequences of ${length} tokens, ${heads} heads of ${width}, ${kvHeads} of keys`);
const rows = names.map((name) => [
  name,
  (1e3 * timings[name].wall).toFixed(1),
  (1e3 * timings[name].cpu).toFixed(1),
  (devices[name].memory.workBytes / 2 ** 20).toFixed(1),
  errors.get(name)!.toExponential(1),
]);
console.log(alignedText({ header: ["attention", "wall ms", "CPU ms", "work space, MiB", "rms error / rms"], rows }));
for (const name of names) await devices[name][Symbol.asyncDispose]();
