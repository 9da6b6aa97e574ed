/** Kernels as the driver would be told them, done by a machine for PTX in memory of the CPU, beside what ggml computes there. */
import koffi from "koffi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Device, DeviceTensor } from "../../../../src/device/device.ts";
import {
  abs,
  add,
  cast,
  constant,
  div,
  input,
  matmul,
  mul,
  scale,
  step,
  sub,
  type Expression,
} from "../../../../src/device/expression.ts";
import type { NativeCall } from "../../../../src/device/ggml/c-functions.ts";
import { kernelsOf } from "../../../../src/device/ggml/cuda/chain-kernels.ts";
import type { CompiledTexts } from "../../../../src/device/ggml/cuda/compiled.ts";
import { KeptKernels } from "../../../../src/device/ggml/cuda/kept-kernels.ts";
import { ptxOf } from "../../../../src/device/ggml/cuda/ptx.ts";
import { openGgml } from "../../../../src/device/ggml/engine.ts";
import { startGgml } from "../../../../src/device/ggml/start.ts";
import { TensorStore } from "../../../../src/device/ggml/tensor-store.ts";
import { structureOf } from "../../../../src/device/structure.ts";
import { bytesPerElement, type Dtype, elementCount, type Shape } from "../../../../src/tensor/dtype.ts";
import { fromFloat32, toFloat32 } from "../../../../src/tensor/half.ts";
import { RandomStream } from "../../../../src/tensor/random.ts";
import { parsePtx, type PtxKernel, runPtx } from "./ptx-machine.ts";

let device: Device;
let store: TensorStore;
beforeAll(async () => {
  device = await openGgml({ backend: "cpu", products: "ggml" });
  const { ggml, cpu } = await startGgml();
  store = new TensorStore(ggml, cpu, "cpu");
});
afterAll(async () => {
  store.close();
  await device[Symbol.asyncDispose]();
});

const dtypes = ["f32", "f16", "bf16"] as const;

/** Signed zeros, the ends of each format, and what rounds there, beside noise. */
const SPECIAL = [
  0,
  -0,
  Infinity,
  -Infinity,
  NaN,
  1e-45,
  -1e-40,
  6e-8,
  -3e-5,
  65504,
  65519,
  65520,
  -3.39e38,
  3.4e38,
  1e-38,
  1.5,
];

function valuesOf(seed: number, count: number): Float32Array {
  const noise = RandomStream.of(seed, "weight");
  return Float32Array.from({ length: count }, (_, i) =>
    i % 3 === seed % 3 ? SPECIAL[Math.floor(noise.uniform() * SPECIAL.length)]! : noise.normal(),
  );
}

/** A tensor in the store, of which a kernel computes, and the same on the device. */
interface Twin {
  readonly here: DeviceTensor;
  readonly there: DeviceTensor;
}

async function twinOf(seed: number, dtype: Dtype, shape: Shape): Promise<Twin> {
  const bytes = fromFloat32(valuesOf(seed, elementCount(shape)), dtype);
  const here = { dtype, shape };
  store.add(here, bytes.length);
  store.memoryOf(here, bytes.length).set(bytes);
  return { here, there: await device.upload(bytes, dtype, shape) };
}

/** Functions of the driver, told apart by their places. */
const driver = Object.fromEntries(
  ["setContext", "copy", "launch", "synchronize"].map((name, i) => [
    name,
    { place: { address: BigInt(i), result: "int", parameters: "" } },
  ]),
) as unknown as CompiledTexts["cuda"]["driver"];

/** Makes the calls of a run as the driver would. */
function call(calls: readonly NativeCall[], memory: ReadonlyMap<bigint, Uint8Array>): string[] {
  return calls.map(({ place, values }) => {
    if (place === driver.copy.place) {
      const [to, from, bytes] = values as [bigint, bigint, number];
      memory.get(to)!.set(new Uint8Array(koffi.view(from, bytes)));
      return "copy";
    }
    if (place !== driver.launch.place) return place === driver.synchronize.place ? "synchronize" : "setContext";
    const [kernel, blocks, , , threads] = values as [PtxKernel, number, number, number, number];
    const [pointer, start, size, sizeAt, end] = new BigUint64Array(koffi.view(values.at(-1), 40));
    expect([pointer, size, end]).toEqual([1n, 2n, 0n]);
    const [bytes] = new BigUint64Array(koffi.view(sizeAt!, 8));
    runPtx(kernel, { packed: new DataView(koffi.view(start!, Number(bytes))), memory, blocks, threads });
    return "launch";
  });
}

/** A tensor's bytes in the store. */
function memoryOf(tensor: DeviceTensor): Uint8Array {
  return store.memoryOf(tensor, elementCount(tensor.shape) * bytesPerElement[tensor.dtype as Dtype]);
}

/** What was computed, of each output, and the calls that did so. */
async function byKernels(
  outputs: readonly Expression[],
  again = outputs,
): Promise<{ bytes: Buffer[]; calls: string[] }> {
  const computation = { ...structureOf(outputs), separately: false };
  const texts: unknown = {
    cuda: { driver, context: 1n },
    get: async (text: string) => Object.fromEntries(parsePtx(text)),
  };
  const context = { store, texts: texts as CompiledTexts, thread: { do: async () => {} } };
  const kept = await KeptKernels.make(kernelsOf(outputs)!, outputs, computation, context);
  const now = structureOf(again);
  expect(kept.has({ ...now, separately: false })).toBe(true);
  const { results, constants } = kept.bind(now);
  const all = [...now.tensors, ...results, ...constants];
  const calls = call(kept.works()[0]!.calls, new Map(all.map((own) => [store.placeOf(own).start, memoryOf(own)])));
  const bytes = results.map((result) => Buffer.from(memoryOf(result)));
  for (const tensor of [...results, ...constants]) store.free(tensor);
  return { bytes, calls };
}

/** Bits, where one NaN is as good as another. */
function bitsOf(bytes: Uint8Array, dtype: Dtype): number[] {
  const values = toFloat32(bytes, dtype);
  const bits = new Uint32Array(values.buffer);
  return Array.from(bits, (own, i) => (Number.isNaN(values[i]) ? NaN : own));
}

/** The same by kernels and by the CPU. */
async function expectEqual(
  formula: (parents: readonly Expression[]) => readonly Expression[],
  twins: readonly Twin[],
): Promise<string[]> {
  const outputs = formula(twins.map(({ here }) => input(here)));
  const { bytes, calls } = await byKernels(outputs);
  const expected = await device.run(formula(twins.map(({ there }) => input(there))));
  for (const [i, tensor] of expected.entries()) {
    const dtype = tensor.dtype as Dtype;
    expect(bitsOf(bytes[i]!, dtype), `output ${i}`).toEqual(bitsOf(await device.read(tensor), dtype));
  }
  device.free(...expected);
  return calls;
}

function merges(parents: readonly Expression[], factors: readonly number[], dtype: Dtype): Expression[] {
  const [base, ...experts] = parents.map((parent) => cast(parent, "f32"));
  const differences = experts.map((expert) => sub(expert, base!));
  return factors.map((factor) =>
    cast(
      differences.map((own, i) => scale(own, factor + 0.3 * i)).reduce((sum, term) => add(sum, term), base!),
      dtype,
    ),
  );
}

describe("have the bits that a CPU's have", () => {
  test.each(dtypes)("merges of three experts, %s", async (dtype) => {
    const twins = await Promise.all([0, 1, 2, 3].map((seed) => twinOf(seed, dtype, [37, 61])));
    const calls = await expectEqual((parents) => merges(parents, [0.3, -1, 0.7], dtype), twins);
    // Elements that are left over have a start of their own.
    expect(calls).toEqual(["setContext", "launch", "launch", "synchronize"]);
  });

  test("every conversion", async () => {
    const twins = await Promise.all(dtypes.map((dtype, seed) => twinOf(seed, dtype, [9, 16])));
    await expectEqual((own) => own.flatMap((x) => dtypes.map((dtype) => cast(cast(x, dtype), "f32"))), twins);
    await expectEqual((own) => own.flatMap((x) => dtypes.map((dtype) => cast(x, dtype))), twins);
  });

  test.each([
    { rows: 24, columns: 32 },
    { rows: 7, columns: 13 },
  ])("what is repeated in $rows rows of $columns", async ({ rows, columns }) => {
    const twins = [await twinOf(0, "bf16", [rows, columns]), await twinOf(1, "f16", [rows, columns])];
    const byColumn = constant(valuesOf(2, columns), [1, columns]);
    const byRow = constant(valuesOf(3, rows), [rows, 1]);
    const calls = await expectEqual((parents) => {
      const [x, y] = parents.map((parent) => cast(parent, "f32")) as [Expression, Expression];
      const scaled = mul(sub(y, x), scale(byColumn, 3));
      return [cast(add(x, mul(scaled, byRow)), "bf16"), mul(x, constant(Float32Array.of(1.1), [1, 1]))];
    }, twins);
    // All constants are copied at once.
    expect(calls.filter((own) => own === "copy")).toHaveLength(1);
    expect(calls.filter((own) => own === "launch")).toHaveLength(1);
  });

  test.each([
    [2, 3, 8],
    [2, 8, 3],
  ])("what is repeated in some of three dimensions, %i x %i x %i", async (a, b, c) => {
    const x = await twinOf(0, "f32", [a, b, c]);
    await expectEqual(
      ([own]) =>
        [
          [a, 1, c],
          [1, b, 1],
          [a, b, 1],
          [1, b, c],
          [1, 1, 1],
        ].map((small, i) => mul(own!, constant(valuesOf(i, elementCount(small)), small))),
      [x],
    );
  });

  test("formulas at random", async () => {
    const twins = await Promise.all(dtypes.map((dtype, seed) => twinOf(seed + 5, dtype, [11, 24])));
    for (let seed = 0; seed < 12; seed++) {
      await expectEqual((parents) => {
        const random = RandomStream.of(seed, "formula");
        const nodes = parents.map((parent) => cast(parent, "f32"));
        const any = (): Expression => nodes[Math.floor(random.uniform() * nodes.length)]!;
        for (let i = 0; i < 10; i++) {
          const makers = [
            () => add(any(), any()),
            () => sub(any(), any()),
            () => mul(any(), any()),
            () => abs(any()),
            () => step(any()),
            () => scale(any(), random.normal()),
            () => cast(cast(any(), dtypes[Math.floor(random.uniform() * 3)]!), "f32"),
          ];
          nodes.push(makers[Math.floor(random.uniform() * makers.length)]!());
        }
        return [nodes.at(-1)!, cast(nodes.at(-2)!, "bf16"), cast(nodes.at(-3)!, "f16")];
      }, twins);
    }
  });
});

test("outputs of several shapes, asked for twice, or that are inputs", async () => {
  const [x, y] = [await twinOf(1, "bf16", [8, 8]), await twinOf(2, "f32", [5])];
  const calls = await expectEqual(([a, b]) => [a!, scale(b!, 2), a!, cast(a!, "f32"), b!], [x, y]);
  expect(calls.filter((own) => own === "launch")).toHaveLength(3);
});

/** By a number, as a scale and as a constant, and by numbers of columns. */
function scaled({ here }: Twin, factor: number): Expression[] {
  const x = cast(input(here), "f32");
  return [
    cast(mul(scale(x, factor), constant(valuesOf(factor, 8), [1, 8])), "bf16"),
    mul(x, constant(Float32Array.of(factor), [1, 1])),
  ];
}

test("kernels of one structure take other tensors, numbers and constants", async () => {
  const [one, other] = [await twinOf(1, "bf16", [16, 8]), await twinOf(2, "bf16", [16, 8])];
  const { bytes } = await byKernels(scaled(one, 3), scaled(other, 4));
  expect(bytes).toEqual((await byKernels(scaled(other, 4))).bytes);
  expect(bytes).not.toEqual((await byKernels(scaled(one, 3))).bytes);
});

test("more outputs than a kernel has are several kernels' of about as many", () => {
  const outputs = merges(
    [0, 1, 2].map(() => input({ dtype: "bf16", shape: [512, 512] })),
    Array.from({ length: 65 }, (_, i) => i),
    "bf16",
  );
  expect(kernelsOf(outputs)!.map(({ ends }) => ends.length)).toEqual([21, 22, 22]);
  expect(kernelsOf(outputs)!.flatMap(({ places }) => places)).toEqual([...outputs.keys()]);
});

test("weights that have nothing in common are computed apart, by the same text", () => {
  const [one, other] = [0, 1].map(() => {
    const parents = [0, 1, 2].map(() => input({ dtype: "bf16", shape: [512, 512] }));
    return merges(parents, [0.1, 0.2], "bf16");
  }) as [Expression[], Expression[]];
  const kernels = kernelsOf([one[0]!, other[0]!, one[1]!, other[1]!])!;
  expect(kernels.map(({ places }) => places)).toEqual([
    [0, 2],
    [1, 3],
  ]);
  expect(ptxOf(kernels[0]!)).toBe(ptxOf(kernels[1]!));
});

test("anything else is left to ggml", () => {
  const x = input({ dtype: "f32", shape: [4, 4] });
  expect(kernelsOf([add(x, matmul(x, x))])).toBeUndefined();
  expect(kernelsOf([abs(div(x, x))])).toBeUndefined();
  expect(kernelsOf([input({ dtype: "i32", shape: [4] })])).toBeUndefined();
  const many = Array.from({ length: 1100 }, (_, i) => scale(x, i)).reduce<Expression>((sum, term) => add(sum, term), x);
  expect(kernelsOf([many])).toBeUndefined();
});
