import { fromFloat32, toFloat32 } from "../../../tensor/half.ts";
import type { Device } from "../../device.ts";
import { add, cast, constant, type Expression, input, scale, sub } from "../../expression.ts";

/** Elements that wide threads take, and some that are left to narrow ones. */
const [ROWS, COLUMNS] = [37, 24];
const FACTOR = 0.3;

/**
 * Whether a device that has kernels for merges gives one the bits of a CPU. The driver compiles them, of which there are many, and not
 * all were tried.
 */
export async function mergesLikeCpu(device: Device): Promise<boolean> {
  const shape = [ROWS, COLUMNS];
  const [base, expert] = [sample(3), sample(5)];
  const row = Float32Array.from({ length: COLUMNS }, (_, i) => i / COLUMNS);
  try {
    const [own, other] = [await device.upload(base, "bf16", shape), await device.upload(expert, "bf16", shape)];
    const [x, y] = [own, other].map((tensor) => cast(input(tensor), "f32")) as [Expression, Expression];
    const merge = add(add(x, scale(sub(y, x), FACTOR)), constant(row, [1, COLUMNS]));
    const results = await device.run([cast(merge, "bf16")]);
    const [found = new Uint8Array()] = await Promise.all(results.map((tensor) => device.read(tensor)));
    device.free(...results, own, other);
    return Buffer.from(found).equals(expectedOf(base, expert, row));
  } catch {
    return false; // It does not launch here.
  }
}

/** Numbers of a weight's size, the same each time. */
function sample(step: number): Uint8Array {
  const values = Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => 0.02 * Math.sin(step * i));
  return fromFloat32(values, "bf16");
}

/** Each operation rounds once. */
function expectedOf(base: Uint8Array, expert: Uint8Array, row: Float32Array): Uint8Array {
  const [x, y] = [toFloat32(base, "bf16"), toFloat32(expert, "bf16")];
  const { fround } = Math;
  const merged = x.map((value, i) => {
    const difference = fround(fround((y[i] ?? 0) - value) * fround(FACTOR));
    return fround(fround(value + difference) + (row[i % COLUMNS] ?? 0));
  });
  return fromFloat32(merged, "bf16");
}
