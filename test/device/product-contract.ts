import { expect, test } from "vitest";
import type { Device, DeviceTensor } from "../../src/device/device.ts";
import { input, matmul } from "../../src/device/expression.ts";
import { attention, linear } from "../../src/device/layers.ts";
import { elementCount, type Dtype, type Shape } from "../../src/tensor/dtype.ts";
import { fromFloat32, toFloat32 } from "../../src/tensor/half.ts";
import { f32Values, generator } from "./sample-values.ts";
import type { Tolerance } from "./tolerances.ts";

/** Registers products of a layer's size, for which GPUs have other kernels than for a few rows; answers are sums in f64. */
export function testProducts(device: () => Device, tolerance: Tolerance): void {
  test.each([
    { dtype: "f32", allowed: tolerance.products },
    { dtype: "bf16", allowed: tolerance.halfProducts },
    { dtype: "f16", allowed: tolerance.halfProducts },
  ] as const)("192 rows by a weight in $dtype are within $allowed", async ({ dtype, allowed }) => {
    const [rows, width, out] = [192, 512, 320];
    const x = await sample(device(), [rows, width], { seed: 6 });
    // Scaled for results of order 1.
    const weight = await sample(device(), [out, width], { seed: 7, size: 3 / Math.sqrt(width), dtype });
    const [found] = await device().run([linear(input(x.tensor), input(weight.tensor))]);
    const expected = rowsTimes(x.values, weight.values, width);
    expect(largestError(f32Values(await device().read(found!)), expected)).toBeLessThanOrEqual(allowed);
    device().free(x.tensor, weight.tensor, found!);
  });

  test("few rows, for which GPUs have other kernels again, are within what is allowed of f32", async () => {
    const [width, out] = [512, 320];
    const weight = await sample(device(), [out, width], { seed: 16, size: 3 / Math.sqrt(width) });
    const found: number[] = [];
    for (const rows of [1, 2, 4, 8, 16, 17]) {
      const x = await sample(device(), [rows, width], { seed: 15 });
      const [product] = await device().run([linear(input(x.tensor), input(weight.tensor))]);
      const expected = rowsTimes(x.values, weight.values, width);
      found.push(largestError(f32Values(await device().read(product!)), expected));
      device().free(x.tensor, product!);
    }
    expect(Math.max(...found)).toBeLessThanOrEqual(tolerance.products);
    device().free(weight.tensor);
  });

  test.each([
    { transposeX: false, transposeY: false, dtype: "f32", allowed: tolerance.products },
    { transposeX: true, transposeY: false, dtype: "f32", allowed: tolerance.products },
    { transposeX: true, transposeY: true, dtype: "f32", allowed: tolerance.products },
    { transposeX: false, transposeY: false, dtype: "bf16", allowed: tolerance.halfProducts },
    { transposeX: false, transposeY: false, dtype: "bf16", precision: "f32", allowed: tolerance.products },
    { transposeX: false, transposeY: true, dtype: "bf16", precision: "f32", allowed: tolerance.products },
    { transposeX: false, transposeY: true, dtype: "f16", precision: "f32", allowed: tolerance.products },
  ] as const)("stacks of 192 rows: %o", async ({ dtype, allowed, ...options }) => {
    const [rows, width, out] = [192, 512, 320];
    const x = await sample(device(), [2, ...turned([rows, width], options.transposeX)], { seed: 12 });
    const size = 3 / Math.sqrt(width);
    const y = await sample(device(), [2, ...turned([width, out], options.transposeY)], { seed: 13, size, dtype });
    const [found] = await device().run([matmul(input(x.tensor), input(y.tensor), options)]);
    const values = f32Values(await device().read(found!));
    const errors = [0, 1].map((place) => {
      const own = (stack: Float32Array): Float32Array =>
        stack.subarray((place * stack.length) / 2, ((place + 1) * stack.length) / 2);
      const left = options.transposeX ? transpose(own(x.values), rows) : own(x.values);
      const right = options.transposeY ? own(y.values) : transpose(own(y.values), out);
      return largestError(own(values), rowsTimes(left, right, width));
    });
    expect(Math.max(...errors)).toBeLessThanOrEqual(allowed);
    device().free(x.tensor, y.tensor, found!);
  });

  test.each([
    { precision: "f32", allowed: tolerance.products },
    { precision: "f32", cap: 2, allowed: tolerance.products },
    { precision: "bf16", allowed: tolerance.halfProducts },
    { precision: "bf16", cap: 2, allowed: tolerance.halfProducts },
    // Sizes of other models' heads, one of which no node of a backend takes.
    { precision: "bf16", shape: [2, 37, 3, 1, 80], allowed: tolerance.halfProducts },
    { precision: "bf16", shape: [1, 50, 2, 2, 20], allowed: tolerance.halfProducts },
  ] as const)("attention of many tokens: %o", async ({ allowed, ...options }) => {
    const cap = "cap" in options ? options.cap : undefined;
    const shape = "shape" in options ? options.shape : undefined;
    const [batch, length, heads, kvHeads, width] = shape ?? [2, 192, 4, 2, 64];
    const query = await sample(device(), [batch, length, heads, width], { seed: 8, size: 2 });
    const key = await sample(device(), [batch, length, kvHeads, width], { seed: 9, size: 2 });
    const value = await sample(device(), [batch, length, kvHeads, width], { seed: 10 });
    const mask = await sample(device(), [batch, length, length], { seed: 11, causal: true });
    const operands = [query, key, value, mask].map(({ tensor }) => input(tensor));
    const [found] = await device().run([
      attention(
        { query: operands[0]!, key: operands[1]!, value: operands[2]!, mask: operands[3]! },
        { factor: 0.125, ...options },
      ),
    ]);
    const values = f32Values(await device().read(found!));
    const errors = Array.from({ length: batch * length * heads }, (_, i) => {
      const [token, head] = [Math.floor(i / heads), i % heads];
      const sequence = Math.floor(token / length);
      const rowOf = ({ values }: Sample, place: number, of: number): Float32Array => {
        const start = ((sequence * length + place) * of + Math.floor((head * of) / heads)) * width;
        return values.subarray(start, start + width);
      };
      const visible = [...Array((token % length) + 1).keys()];
      const own = rowOf(query, token % length, heads);
      const scores = visible.map((place) => Math.exp(capped(0.125 * dot(own, rowOf(key, place, kvHeads)), cap)));
      const total = scores.reduce((sum, score) => sum + score, 0);
      const expected = new Float64Array(width);
      for (const [place, score] of scores.entries()) {
        rowOf(value, place, kvHeads).forEach((v, k) => (expected[k]! += (score / total) * v));
      }
      return largestError(values.subarray(i * width, (i + 1) * width), expected);
    });
    expect(Math.max(...errors)).toBeLessThanOrEqual(allowed);
    device().free(query.tensor, key.tensor, value.tensor, mask.tensor, found!);
  });
}

function capped(score: number, cap: number | undefined): number {
  return cap === undefined ? score : cap * Math.tanh(score / cap);
}

interface Sample {
  readonly tensor: DeviceTensor;
  /** What the device was given. */
  readonly values: Float32Array;
}

/** Numbers in [-size, size), or a causal mask. */
async function sample(
  device: Device,
  shape: Shape,
  { seed, size = 1, dtype = "f32", causal = false }: { seed: number; size?: number; dtype?: Dtype; causal?: boolean },
): Promise<Sample> {
  const random = generator(seed);
  const length = shape.at(-1)!;
  const masked = (i: number): number => (i % length <= Math.floor(i / length) % length ? 0 : -Infinity);
  const drawn = Float32Array.from({ length: elementCount(shape) }, (_, i) => (causal ? masked(i) : size * random()));
  const bytes = fromFloat32(drawn, dtype);
  return { tensor: await device.upload(bytes, dtype, shape), values: toFloat32(bytes, dtype) };
}

/** x [n, width] times the transpose of weight [out, width]. */
function rowsTimes(x: Float32Array, weight: Float32Array, width: number): Float64Array {
  const out = weight.length / width;
  return Float64Array.from({ length: (x.length / width) * out }, (_, i) => {
    const [row, column] = [Math.floor(i / out) * width, (i % out) * width];
    return dot(x.subarray(row, row + width), weight.subarray(column, column + width));
  });
}

function turned([rows, columns]: readonly [number, number], transposed: boolean): [number, number] {
  return transposed ? [columns, rows] : [rows, columns];
}

/** A matrix of so many columns, stored row by row, with rows and columns exchanged. */
function transpose(matrix: Float32Array, columns: number): Float32Array {
  const rows = matrix.length / columns;
  return matrix.map((_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)]!);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k += 1) sum += a[k]! * b[k]!;
  return sum;
}

/** Of a result of order 1, as in the table of tolerances. */
function largestError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found).toHaveLength(expected.length);
  let largest = 0;
  for (let i = 0; i < expected.length; i += 1) {
    const error = Math.abs(found[i]! - expected[i]!) / Math.max(1, Math.abs(expected[i]!));
    // NaN is as wrong as can be.
    largest = error <= largest ? largest : Number.isNaN(error) ? Infinity : error;
  }
  return largest;
}
