import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { DeviceTensor } from "../../src/device/device.ts";
import {
  abs,
  add,
  cast,
  constant,
  div,
  type Expression,
  input,
  mul,
  relu,
  scale,
  step,
  sub,
} from "../../src/device/expression.ts";
import { kernelOf } from "../../src/merge-files/kernel.ts";
import { KernelRunner } from "../../src/merge-files/kernel-runner.ts";
import { bytesPerElement, type Dtype, elementCount } from "../../src/tensor/dtype.ts";
import { firstNonFinite } from "../../src/tensor/finite.ts";
import { fromFloat32 } from "../../src/tensor/half.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { numbersOf } from "../numbers-of.ts";
import { testedEngines } from "../device/tested-engines.ts";

interface Tensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** How a node is made of two others, a number, one for each column and one for each row. */
const operations: readonly ((
  x: Expression,
  y: Expression,
  factor: number,
  columns: Expression,
  rows: Expression,
) => Expression)[] = [
  (x, y) => add(x, y),
  (x, y) => sub(x, y),
  (x, y) => mul(x, y),
  (x, y) => div(x, y),
  (x, _, factor) => scale(x, factor),
  (x) => abs(x),
  (x) => step(x),
  (x, _, __, columns) => mul(x, columns),
  (x, _, __, ___, rows) => mul(x, rows),
  (x, _, factor) => sub(x, numberLike(x, factor)),
  // What kernels have shortcuts for, also where others use its parts.
  (x) => scale(x, 1),
  (x) => mul(x, numberLike(x, -1)),
  (x) => step(mul(x, numberLike(x, -1))),
  (x) => stepLess(x, -1),
  (x) => stepLess(x, -2),
  (x, y) => mul(x, stepLess(y, -2)),
  (x) => cast(cast(x, "bf16"), "f32"),
  (x) => cast(cast(x, "f16"), "f32"),
];

function numberLike({ shape }: Expression, value: number): Expression {
  return constant(
    Float32Array.of(value),
    shape.map(() => 1),
  );
}

function stepLess(x: Expression, times: number): Expression {
  return add(mul(step(x), numberLike(x, times)), numberLike(x, 1));
}

/** An expression as numbers, of which each operation takes some: nodes are used by several others. */
interface Recipe {
  readonly dtypes: readonly Dtype[];
  readonly result: Dtype;
  readonly shape: readonly number[];
  readonly seed: number;
  readonly nodes: readonly (readonly [operation: number, x: number, y: number, factor: number])[];
}

const dtype = fc.constantFrom<Dtype>("f32", "f16", "bf16");
const recipe: fc.Arbitrary<Recipe> = fc.record({
  dtypes: fc.array(dtype, { minLength: 1, maxLength: 4 }),
  result: dtype,
  shape: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 37 })),
  seed: fc.nat(),
  nodes: fc.array(
    fc.tuple(
      fc.nat(operations.length - 1),
      fc.nat(30),
      fc.nat(30),
      fc.double({ min: -2, max: 2, noNaN: true }).map(Math.fround),
    ),
    { minLength: 1, maxLength: 12 },
  ),
});

/** (x - x) / (x - x), of which a step is 0. */
const stepOfNaN: Recipe = {
  dtypes: ["f32"],
  result: "f32",
  shape: [1, 1],
  seed: 0,
  nodes: [
    [1, 0, 0, 0],
    [3, 1, 1, 0],
    [6, 2, 0, 0],
  ],
};

function tensorsOf({ dtypes, shape, seed }: Recipe): Tensor[] {
  const random = RandomStream.of(seed, "values");
  return dtypes.map((own) => {
    const values = Float32Array.from({ length: elementCount(shape) }, () => random.normal());
    return { dtype: own, shape, bytes: fromFloat32(values, own) };
  });
}

function expressionOf({ nodes, result, shape, seed }: Recipe, leaves: readonly DeviceTensor[]): Expression {
  const random = RandomStream.of(seed, "row");
  const [columns, rows] = [
    [1, shape[1]!],
    [shape[0]!, 1],
  ].map((own) =>
    constant(
      Float32Array.from({ length: elementCount(own) }, () => random.normal()),
      own,
    ),
  );
  const made = leaves.map((leaf) => cast(input(leaf), "f32"));
  for (const [operation, x, y, factor] of nodes)
    made.push(operations[operation]!(made[x % made.length]!, made[y % made.length]!, factor, columns!, rows!));
  return cast(made.at(-1)!, result);
}

/** The result of a kernel, in two pieces, of which the second begins within a row. */
function runKernel(expression: Expression, leaves: readonly DeviceTensor[], tensors: readonly Tensor[]): Uint8Array {
  const kernel = new KernelRunner().load(kernelOf(expression, leaves));
  const count = elementCount(expression.shape);
  const size = bytesPerElement[expression.dtype as Dtype];
  const half = Math.ceil(count / 2);
  const parts = [
    [0, half],
    [half, count - half],
  ].map(([first = 0, length = 0]) => {
    for (const [i, { dtype: own, bytes }] of tensors.entries()) {
      const width = bytesPerElement[own];
      kernel.inputBytes(i, length * width).set(bytes.subarray(first * width, (first + length) * width));
    }
    const isFinite = length === 0 || kernel.run(first, length);
    const merged = Buffer.from(kernel.outputBytes(length * size));
    if (isFinite) expect(firstNonFinite(merged, expression.dtype as Dtype)).toBe(-1);
    return merged;
  });
  return new Uint8Array(Buffer.concat(parts));
}

test.each(testedEngines)("kernels give the bits of %s, whatever is computed of whatever types", async (_, open) => {
  await using device = await open();
  await fc.assert(
    fc.asyncProperty(recipe, async (own) => {
      const tensors = tensorsOf(own);
      const uploaded = await Promise.all(tensors.map(({ bytes, dtype: d, shape }) => device.upload(bytes, d, shape)));
      const expression = expressionOf(own, uploaded);
      const [result] = await device.run([expression]);
      const expected = await device.read(result!);
      device.free(result!, ...uploaded);
      expect(numbersOf(runKernel(expression, uploaded, tensors), own.result)).toEqual(numbersOf(expected, own.result));
    }),
    { numRuns: 150, examples: [[stepOfNaN]] },
  );
});

test("merges that differ in numbers alone are one module, others are not", () => {
  const leaf: DeviceTensor = { dtype: "bf16", shape: [4, 8] };
  const by = (factor: number): Expression => cast(scale(cast(input(leaf), "f32"), factor), "bf16");
  const half = moduleOf(by(0.5), leaf);
  expect(moduleOf(by(0.25), leaf)).toEqual(half);
  const other = moduleOf(cast(abs(cast(input(leaf), "f32")), "bf16"), leaf);
  expect(other.name).not.toBe(half.name);
  expect(other.code).not.toEqual(half.code);
});

test("a number and a row at the same place are other modules", () => {
  const [one, three, four] = [1, 3, 4].map((columns) => {
    const tensor: DeviceTensor = { dtype: "f32", shape: [4, columns] };
    const row = constant(new Float32Array(columns).fill(2), [1, columns]);
    return moduleOf(mul(input(tensor), row), tensor);
  });
  expect(one?.name).not.toBe(four?.name);
  expect(one?.code).not.toEqual(four?.code);
  expect(three).toEqual(four);
});

/** What a kernel is known by, which must be as equal as its code. */
function moduleOf(expression: Expression, leaf: DeviceTensor): { readonly name: string; readonly code: Uint8Array } {
  const { name, assembled } = kernelOf(expression, [leaf]).module;
  return { name, code: assembled() };
}

test.each([["f32"], ["f16"], ["bf16"]] as const)("says whether an element of %s is NaN or infinite", (own) => {
  const leaf: DeviceTensor = { dtype: own, shape: [1000] };
  const kernel = new KernelRunner().load(kernelOf(cast(scale(cast(input(leaf), "f32"), 0), "f32"), [leaf]));
  const values = new Float32Array(1000).fill(1);
  const run = (): boolean => {
    kernel.inputBytes(0, values.length * bytesPerElement[own]).set(fromFloat32(values, own));
    return kernel.run(0, values.length);
  };
  expect(run()).toBe(true);
  for (const [at, odd] of [
    [0, Number.NaN],
    [999, Number.POSITIVE_INFINITY],
    [503, Number.NEGATIVE_INFINITY],
  ] as const) {
    values[at] = odd;
    expect(run()).toBe(false);
    values[at] = 1;
  }
});

test("refuses what is not computed element by element", () => {
  const leaf: DeviceTensor = { dtype: "f32", shape: [4] };
  expect(() => moduleOf(relu(input(leaf)), leaf)).toThrow("merge: relu is not computed element by element");
});
