import koffi from "koffi";
import { afterAll, describe, expect, test } from "vitest";
import { LaneThread } from "../../../../src/device/ggml/lane-thread.ts";
import { add, input, matmul, reshape, softmax, type Expression } from "../../../../src/device/expression.ts";
import { openGgml } from "../../../../src/device/ggml/engine.ts";
import type { FactorFormat } from "../../../../src/device/ggml/products/product-library.ts";
import { librarySoftmaxes } from "../../../../src/device/ggml/products/softmaxes.ts";
import { gradients } from "../../../../src/device/gradient.ts";
import { attention } from "../../../../src/device/layers.ts";
import { elementCount, type Shape } from "../../../../src/tensor/dtype.ts";
import { fromFloat32, toFloat32 } from "../../../../src/tensor/half.ts";
import { f32Values, generator, noise } from "../../sample-values.ts";
import { describeLibraries } from "../product-libraries.ts";
import { readGraph } from "./read-graph.ts";

const f32 = (...shape: number[]): Expression => input({ dtype: "f32", shape });

function softmaxesBy(...outputs: Expression[]): ReturnType<typeof librarySoftmaxes> {
  const { order, readers } = readGraph(outputs);
  return librarySoftmaxes(order, readers);
}

/** 0 up to the place of a row, else -Infinity. */
function causal(sequences: number, length: number): Float32Array {
  return Float32Array.from({ length: sequences * length * length }, (_, i) =>
    i % length <= Math.floor(i / length) % length ? 0 : -Infinity,
  );
}

describe("which softmaxes are a library's", () => {
  const [mask, scores] = [f32(2, 128, 128), () => matmul(f32(2, 4, 128, 64), f32(2, 4, 64, 128))];

  test("those with a mask, rounded where products in bf16 alone read them", () => {
    const shares = softmax(scores(), { mask });
    const mixed = matmul(reshape(shares, [2, 4, 128, 128]), f32(2, 4, 128, 64), { precision: "bf16" });
    expect(softmaxesBy(mixed).get(shares)).toEqual({ node: shares, isRounded: true });
    expect(softmaxesBy(mixed, shares).get(shares)?.isRounded).toBe(false);
    const exact = matmul(shares, f32(2, 4, 128, 64));
    expect(softmaxesBy(mixed, exact).get(shares)?.isRounded).toBe(false);
  });

  test("none whose scores somebody else reads, or came with the graph", () => {
    const read = scores();
    const shares = softmax(read, { mask });
    expect(softmaxesBy(shares, read).size).toBe(0);
    expect(softmaxesBy(add(shares, read)).size).toBe(0);
    expect(softmaxesBy(softmax(reshape(f32(8, 128, 128), [2, 4, 128, 128]), { mask })).size).toBe(0);
    expect(softmaxesBy(softmax(reshape(scores(), [2, 4, 128, 128]), { mask })).size).toBe(1);
  });
});

/** Where calls are made. */
const thread = new LaneThread();
afterAll(() => thread.end());

describeLibraries("softmax", ({ file, library }) => {
  const sizes = [
    [2, 3, 21],
    [1, 3, 21],
    [1, 9, 176],
    [1, 1, 64],
    [1, 4, 128],
    [3, 1, 40],
  ] as const;
  const softmaxes = (["f32", "bf16"] as const).flatMap((format) => sizes.map((size) => [format, ...size] as const));
  test.for(softmaxes)("is that of factor x + mask: %s, %d %d %d", async (asked, { skip }) => {
    if (!library.softmax) skip("the library has none");
    const [resultFormat, batch, heads, rows]: readonly [FactorFormat, number, number, number] = asked;
    const [columns, factor] = [rows, 0.25];
    const x = Float32Array.from(noise(generator(8), batch * heads * rows * columns), (value) => 40 * value);
    const [own, mask] = [x.slice(), causal(batch, rows)];
    const result = new Uint8Array((resultFormat === "f32" ? 4 : 2) * x.length).fill(0xff);
    const places = { x: koffi.address(own), mask: koffi.address(mask), result: koffi.address(result) };
    await thread.do(library.softmax!({ batch, heads, rows, columns, factor, resultFormat, ...places }));
    // An address keeps no array alive; what is used behind the call is.
    expect(own.length + mask.length).toBe((heads + 1) * batch * rows * columns);
    const found = toFloat32(result, resultFormat);
    for (let row = 0; row < batch * heads * rows; row += 1) {
      const seen = (row % rows) + 1;
      const powers = Array.from(x.subarray(row * columns, row * columns + seen), (value) => Math.exp(factor * value));
      const sum = powers.reduce((all, power) => all + power, 0);
      const expected = Array.from({ length: columns }, (_, i) => (powers[i] ?? 0) / sum);
      const errors = expected.map((value, i) => Math.abs(value - found[row * columns + i]!));
      expect(Math.max(...errors)).toBeLessThan(resultFormat === "f32" ? 1e-6 : 2e-3);
      expect([...found.subarray(row * columns + seen, (row + 1) * columns)].every((value) => value === 0)).toBe(true);
    }
  });

  // A library may take loops of one, and matrices that several are multiplied with, for something else.
  const shapes = [
    { batch: 2, length: 90, heads: 8, kvHeads: 4, width: 32 },
    { batch: 1, length: 176, heads: 9, kvHeads: 3, width: 64 },
    { batch: 1, length: 130, heads: 4, kvHeads: 1, width: 64 },
    { batch: 1, length: 130, heads: 4, kvHeads: 4, width: 32 },
    { batch: 3, length: 130, heads: 2, kvHeads: 1, width: 32 },
    { batch: 3, length: 150, heads: 1, kvHeads: 1, width: 64 },
    { batch: 1, length: 300, heads: 1, kvHeads: 1, width: 64 },
    { batch: 4, length: 72, heads: 4, kvHeads: 4, width: 16 },
  ];
  const kinds = ["plain", "with a cap", "with a bias", "with derivatives"];
  const attentions = (["f32", "bf16"] as const).flatMap((precision) =>
    shapes.flatMap((shape) => kinds.map((kind) => ({ precision, kind, ...shape }))),
  );
  test.for(attentions)(
    "in attention is that of ggml: $precision, $kind, $batch $length $heads $kvHeads",
    async (asked, { skip }) => {
      const { precision, kind, batch, length, heads, kvHeads, width } = asked;
      if (!library.softmax || library.leastRows[precision] === undefined) skip("the library has none of these");
      const random = generator(9);
      const operandShapes: readonly Shape[] = [
        [batch, length, heads, width],
        [batch, length, kvHeads, width],
        [batch, length, kvHeads, width],
        [1, heads, length, length],
      ];
      const values = operandShapes.map((shape) => noise(random, elementCount(shape)).map((value) => 3 * value));
      const compute = async (products: string): Promise<Float32Array[]> => {
        await using device = await openGgml({ backend: "cpu", products });
        const upload = async (all: readonly number[] | Float32Array, shape: Shape): Promise<Expression> =>
          input(await device.upload(fromFloat32(Float32Array.from(all), "f32"), "f32", shape));
        const uploaded = await Promise.all(operandShapes.map((shape, i) => upload(values[i]!, shape)));
        const [query, key, value, bias] = uploaded as [Expression, Expression, Expression, Expression];
        const mask = await upload(causal(batch, length), [batch, length, length]);
        const operands = { query, key, value, mask, ...(kind === "with a bias" && { bias }) };
        const options = { factor: width ** -0.5, precision, ...(kind === "with a cap" && { cap: 5 }) };
        const seen = attention(operands, options);
        const derivatives =
          kind === "with derivatives" ? gradients([{ output: seen, seed: seen }], [query, key, value]) : [];
        const found = await device.run([seen, ...derivatives.filter((each) => each !== undefined)]);
        return await Promise.all(found.map(async (each) => f32Values(await device.read(each))));
      };
      const [own, ggml] = [await compute(file), await compute("ggml")];
      expect(own).toHaveLength(kind === "with derivatives" ? 4 : 1);
      for (const [i, found] of own.entries()) {
        const size = Math.max(...ggml[i]!.map(Math.abs));
        const errors = found.map((value, at) => Math.abs(value - ggml[i]![at]!));
        expect(Math.max(...errors) / size).toBeLessThan(precision === "f32" ? 1e-5 : 0.02);
      }
    },
  );
});
