import koffi from "koffi";
import { afterAll, describe, expect, test } from "vitest";
import { add, input, matmul, mul, normalize, type Expression } from "../../../../src/device/expression.ts";
import { LaneThread } from "../../../../src/device/ggml/lane-thread.ts";
import { libraryNorms } from "../../../../src/device/ggml/products/norms.ts";
import type { FactorFormat } from "../../../../src/device/ggml/products/product-library.ts";
import { linear, rmsNorm } from "../../../../src/device/layers.ts";
import { openGgml } from "../../../../src/device/ggml/engine.ts";
import { fromFloat32, toFloat32 } from "../../../../src/tensor/half.ts";
import { f32Values, generator, noise } from "../../sample-values.ts";
import { describeLibraries } from "../product-libraries.ts";
import { readGraph } from "./read-graph.ts";

const EPSILON = 1e-5;
const f32 = (...shape: number[]): Expression => input({ dtype: "f32", shape });

function normsBy(outputs: readonly Expression[], isFree = true): ReturnType<typeof libraryNorms> {
  const { order, readers } = readGraph(outputs);
  return libraryNorms(order, readers, () => isFree);
}

describe("which norms are a library's", () => {
  const [x, row, weight] = [f32(16, 64), f32(1, 64), input({ dtype: "bf16", shape: [32, 64] })];

  test("those of enough rows, with the row that alone they are multiplied by", () => {
    const node = normalize(x, EPSILON);
    const end = mul(node, row);
    const own = { node, weight: row, end, inner: [node] };
    expect(normsBy([end]).get(end)).toEqual({ ...own, isRounded: false });
    expect(normsBy([linear(end, weight)]).get(end)).toEqual({ ...own, isRounded: true });
    expect(normsBy([linear(end, weight), end]).get(end)?.isRounded).toBe(false);
    expect(normsBy([normalize(f32(15, 64), EPSILON)]).size).toBe(0);
  });

  test("alone where others read them too, where they are multiplied by more, or that is another's to compute", () => {
    const node = normalize(x, EPSILON);
    const alone = { node, weight: undefined, end: node, inner: [], isRounded: false };
    for (const outputs of [
      [mul(node, row), node],
      [mul(node, f32(16, 64))],
      [mul(f32(16, 64), node)],
      [mul(node, node)],
    ]) {
      expect([...normsBy(outputs).values()]).toEqual([alone]);
    }
    expect([...normsBy([mul(node, row)], false).values()]).toEqual([alone]);
    expect([...normsBy([add(node, row)]).values()]).toEqual([alone]);
  });
});

/** Where calls are made. */
const thread = new LaneThread();
afterAll(() => thread.end());

describeLibraries("norms", ({ file, library }) => {
  const sizes = (["f32", "bf16"] as const).flatMap((format) =>
    [
      [1, 64],
      [17, 576],
      [40, 100],
    ].map((size) => [format, ...size] as const),
  );
  test.for(sizes)("are x over the root of its mean square, times a row: %s, %d %d", async (asked, { skip }) => {
    if (!library.normalize) skip("the library has none");
    const [resultFormat, rows, columns] = asked as readonly [FactorFormat, number, number];
    const random = generator(10);
    // Means are far from 0, so that a norm which takes them off is another.
    const x = Float32Array.from(noise(random, rows * columns), (value) => 3 + value);
    const weight = Float32Array.from(noise(random, columns), (value) => 1 + value);
    const compute = async (by: bigint | undefined): Promise<Float32Array> => {
      const result = new Uint8Array((resultFormat === "f32" ? 4 : 2) * x.length).fill(0xff);
      const places = { x: koffi.address(x), weight: by, result: koffi.address(result) };
      const work = library.normalize!({ rows, columns, epsilon: EPSILON, resultFormat, ...places });
      await thread.do([work]);
      work.free?.();
      return toFloat32(result, resultFormat);
    };
    const [scaled, alone] = [await compute(koffi.address(weight)), await compute(undefined)];
    const expected = Float64Array.from(x, (value, i) => {
      const row = x.subarray(i - (i % columns), i - (i % columns) + columns);
      return value / Math.sqrt(row.reduce((sum, each) => sum + each ** 2, 0) / columns + EPSILON);
    });
    const allowed = resultFormat === "f32" ? 1e-6 : 4e-3;
    const errors = expected.map((value, i) => Math.abs(value - alone[i]!));
    expect(Math.max(...errors)).toBeLessThan(2 * allowed);
    const scaledErrors = expected.map((value, i) => Math.abs(value * weight[i % columns]! - scaled[i]!));
    expect(Math.max(...scaledErrors)).toBeLessThan(4 * allowed);
    // A way back may read the norm itself, and then multiplies it afterwards.
    if (resultFormat === "f32")
      expect([...scaled]).toEqual(Array.from(alone, (value, i) => Math.fround(value * weight[i % columns]!)));
  });

  test.for(["f32", "bf16"] as const)("before products are those of ggml: %s", async (dtype, { skip }) => {
    if (!library.normalize || library.leastRows[dtype] === undefined) skip("the library has none of these");
    const [rows, width, out] = [48, 256, 320];
    const random = generator(11);
    const values = [rows * width, width, out * width].map((size) => Float32Array.from(noise(random, size)));
    const compute = async (products: string): Promise<Float32Array> => {
      await using device = await openGgml({ backend: "cpu", products });
      const [x, row, weight] = await Promise.all([
        device.upload(fromFloat32(values[0]!, "f32"), "f32", [rows, width]),
        device.upload(fromFloat32(values[1]!, "f32"), "f32", [width]),
        device.upload(fromFloat32(values[2]!, dtype), dtype, [out, width]),
      ]);
      const normed = rmsNorm(input(x), input(row), EPSILON);
      const product = matmul(normed, input(weight), { transposeY: true });
      const [found] = await device.run([product]);
      return f32Values(await device.read(found!));
    };
    const [own, ggml] = [await compute(file), await compute("ggml")];
    const size = Math.max(...ggml.map(Math.abs));
    expect(Math.max(...own.map((value, i) => Math.abs(value - ggml[i]!))) / size).toBeLessThan(
      dtype === "f32" ? 1e-5 : 0.02,
    );
  });
});
