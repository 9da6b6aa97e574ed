import koffi from "koffi";
import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { LaneThread } from "../../../../src/device/ggml/lane-thread.ts";
import type { FactorFormat, Product, ResultStep } from "../../../../src/device/ggml/products/product-library.ts";
import { fromFloat32, toFloat32 } from "../../../../src/tensor/half.ts";
import { f32Values, generator, noise } from "../../sample-values.ts";
import { describeLibraries } from "../product-libraries.ts";

/** A matrix as it lies in memory. */
interface Stored {
  readonly bytes: Uint8Array;
  readonly at: (row: number, column: number) => number;
}

/** Where calls are made. */
const thread = new LaneThread();
afterAll(() => thread.end());

describeLibraries("products", ({ library }) => {
  test.for(["f32", "bf16"] as const)("of factors as they are or transposed: %s", async (format, { skip }) => {
    if (library.leastRows[format] === undefined) skip(`the library has none of ${format}`);
    const size = fc.integer({ min: 1, max: 60 });
    const shapes = fc.record({ rows: size, columns: size, inner: size, left: fc.boolean(), right: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(shapes, fc.nat(), async ({ rows, columns, inner, ...transposed }, seed) => {
        const random = generator(seed);
        const left = store([rows, inner], transposed.left, format, random);
        const right = store([inner, columns], transposed.right, format, random);
        const result = new Uint8Array(4 * rows * columns).fill(0xff);
        const factor = (bytes: Uint8Array, transposed: boolean): Product["left"] => ({
          address: addressOf(bytes),
          transposed,
        });
        await thread.do([
          library.multiply({
            rows,
            columns,
            inner,
            format,
            result: addressOf(result),
            left: factor(left.bytes, transposed.left),
            right: factor(right.bytes, transposed.right),
          }),
        ]);
        const errors = Array.from(f32Values(result), (found, i) => {
          const [row, column] = [Math.floor(i / columns), i % columns];
          let sum = 0;
          for (let k = 0; k < inner; k += 1) sum += left.at(row, k) * right.at(k, column);
          return Math.abs(found - sum);
        });
        expect(Math.max(...errors)).toBeLessThan(1e-6);
      }),
      { numRuns: 40 },
    );
  });

  test.for(["f32", "bf16"] as const)("of many matrices that lie between each other: %s", async (format, { skip }) => {
    const multiplyAll = library.multiplyAll?.bind(library);
    if (!multiplyAll || library.leastRows[format] === undefined) skip("the library takes one product at a time");
    // Heads side by side, two of which share a right factor.
    const [batch, rows, columns, heads, inner] = [3, 34, 21, 4, 18];
    const random = generator(5);
    const left = store([batch * rows * heads, inner], false, format, random);
    const right = store([batch * columns * (heads / 2), inner], false, format, random);
    const result = new Uint8Array(4 * batch * heads * rows * columns).fill(0xff);
    await thread.do([
      multiplyAll!({
        outside: [batch, heads / 2, 2],
        rows,
        columns,
        inner,
        format,
        left: { address: addressOf(left.bytes), strides: [rows * heads * inner, 2 * inner, inner, heads * inner, 1] },
        right: {
          address: addressOf(right.bytes),
          strides: [(columns * heads * inner) / 2, inner, 0, 1, (heads * inner) / 2],
        },
        result: addressOf(result),
      }),
    ]);
    const errors = Array.from(f32Values(result), (found, i) => {
      const column = i % columns;
      const row = Math.floor(i / columns) % rows;
      const head = Math.floor(i / columns / rows) % heads;
      const b = Math.floor(i / columns / rows / heads);
      const [own, shared] = [(b * rows + row) * heads + head, ((b * columns + column) * heads) / 2 + (head >> 1)];
      let sum = 0;
      for (let k = 0; k < inner; k += 1) sum += left.at(own, k) * right.at(shared, k);
      return Math.abs(found - sum);
    });
    expect(Math.max(...errors)).toBeLessThan(1e-6);
  });

  test("some columns at a time, with the bits of all at once", async ({ skip }) => {
    if (!library.copyRows) skip("the library computes no columns apart");
    const [rows, columns, inner] = [300, 1100, 768];
    const random = generator(7);
    const left = store([rows, inner], false, "bf16", random);
    const right = store([inner, columns], true, "bf16", random);
    const multiply = async (from: number, count: number): Promise<Float32Array> => {
      const result = new Uint8Array(4 * rows * count).fill(0xff);
      await thread.do([
        library.multiplyAll!({
          outside: [],
          rows,
          columns: count,
          inner,
          format: "bf16",
          steps: [{ op: "silu" }],
          result: addressOf(result),
          left: { address: addressOf(left.bytes), strides: [inner, 1] },
          right: { address: addressOf(right.bytes) + BigInt(2 * inner * from), strides: [1, inner] },
        }),
      ]);
      return f32Values(result);
    };
    const all = await multiply(0, columns);
    for (const [from, count] of [
      [0, 512],
      [512, 512],
      [1024, 76],
    ] as const) {
      const own = await multiply(from, count);
      expect(own).toEqual(all.filter((_, i) => i % columns >= from && i % columns < from + count));
    }
  });

  test("brought in rows of bf16 to among others", async ({ skip }) => {
    if (!library.copyRows) skip("the library brings none anywhere");
    const [rows, columns, pitch] = [19, 45, 64];
    const x = fromFloat32(Float32Array.from(noise(generator(9), rows * columns)), "bf16");
    const all = new Uint8Array(2 * rows * pitch).fill(7);
    await thread.do([
      library.copyRows!({ rows, columns, pitch, x: addressOf(x), result: addressOf(all) + BigInt(2 * 10) }),
    ]);
    for (let row = 0; row < rows - 1; row += 1) {
      const found = all.subarray(2 * row * pitch, 2 * (row + 1) * pitch);
      const own = x.subarray(2 * row * columns, 2 * (row + 1) * columns);
      expect([...found.subarray(20, 20 + own.length)]).toEqual([...own]);
      expect(new Set([...found.subarray(0, 20), ...found.subarray(20 + own.length)])).toEqual(new Set([7]));
    }
  });

  test("finished by steps, and rounded in the end", async ({ skip }) => {
    if (!library.finishesBf16) skip("the library finishes no products");
    const [rows, columns, inner] = [37, 45, 20];
    const random = generator(6);
    const left = store([rows, inner], false, "bf16", random);
    const right = store([inner, columns], true, "bf16", random);
    const [added, factors] = [noise(random, columns), noise(random, rows * columns)].map((all) =>
      Float32Array.from(all),
    );
    const multiply = async (resultFormat: FactorFormat, steps: readonly ResultStep[]): Promise<Float32Array> => {
      const result = new Uint8Array((resultFormat === "f32" ? 4 : 2) * rows * columns).fill(0xff);
      await thread.do([
        library.multiplyAll!({
          outside: [],
          rows,
          columns,
          inner,
          format: "bf16",
          resultFormat,
          steps,
          result: addressOf(result),
          left: { address: addressOf(left.bytes), strides: [inner, 1] },
          right: { address: addressOf(right.bytes), strides: [1, inner] },
        }),
      ]);
      return toFloat32(result, resultFormat);
    };
    const sums = await multiply("f32", []);
    const operands = [
      { op: "add", address: koffi.address(added!), rows: 1 },
      { op: "mul", address: koffi.address(factors!), rows },
    ] as const;
    const functions: readonly (readonly [op: "relu" | "silu" | "gelu tanh" | "gelu erf", of: (x: number) => number])[] =
      [
        ["relu", (value) => Math.max(0, value)],
        ["silu", (value) => value / (1 + Math.exp(-value))],
        [
          "gelu tanh",
          (value) => (value / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (value + 0.044715 * value ** 3))),
        ],
        ["gelu erf", (value) => (value / 2) * (1 + erf(value / Math.SQRT2))],
      ];
    for (const [op, of] of functions) {
      const expected = sums.map((sum, i) => of(sum + added![i % columns]!) * factors![i]!);
      const steps = [operands[0], { op }, operands[1]];
      const found = await multiply("f32", steps);
      expect(Math.max(...found.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(2e-6);
      expect(await multiply("bf16", steps)).toEqual(toFloat32(fromFloat32(found, "bf16"), "bf16"));
    }
  });
});

/** Abramowitz and Stegun, 7.1.6: a series of which 40 terms are enough for numbers around 1. */
function erf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 40; n += 1) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

function store(
  [rows, columns]: readonly [number, number],
  transposed: boolean,
  format: FactorFormat,
  random: () => number,
): Stored {
  const bytes = fromFloat32(Float32Array.from(noise(random, rows * columns)), format);
  const values = toFloat32(bytes, format);
  return {
    bytes,
    at: (row, column) => values[transposed ? column * rows + row : row * columns + column]!,
  };
}

function addressOf(bytes: Uint8Array): bigint {
  return koffi.address(bytes);
}
