import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import type { DeviceTensor } from "../../src/device/device.ts";
import { type Expression, input } from "../../src/device/expression.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { declarations, type MethodName } from "../../src/merge/declarations.ts";
import { gramOf } from "../../src/tensor/gram.ts";
import { prepareMerge } from "../../src/merge/prepare-merge.ts";
import { mergeTensor } from "../../src/merge/merge-tensor.ts";
import type { Step } from "../../src/merge/recipe.ts";
import { bytesPerElement, type Dtype } from "../../src/tensor/dtype.ts";
import { numbersOf } from "../numbers-of.ts";
import { fromFloat32, toFloat32 } from "../../src/tensor/half.ts";
import { pack } from "../../src/tensor/packed.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { combinations, methodsByColumn } from "./method-kinds.ts";
import { referenceMerge, type Stored } from "./reference-merge.ts";

interface MergekitCase {
  readonly method: MethodName;
  readonly dtype: Dtype;
  readonly weights: readonly number[];
  /** Of methods that take more than a weight. */
  readonly weight?: readonly number[];
  readonly density?: readonly number[];
  readonly gamma?: readonly number[];
  readonly epsilon?: readonly number[];
  readonly lambda_?: number;
  readonly normalize?: boolean;
  readonly base: string;
  readonly experts: readonly string[];
  readonly merged: string;
}

const fixture = join(import.meta.dirname, "..", "fixtures", "merge", "expected.json");
const mergekitCases = JSON.parse(readFileSync(fixture, "utf8")) as MergekitCase[];

const dtype = fc.constantFrom<Dtype>("f32", "f16", "bf16");
/** No -0, whose sign a merge may lose, and nothing that f16 would hold with fewer bits. */
const upTo = (max: number): fc.Arbitrary<number> =>
  fc.double({ min: -max, max, noNaN: true }).map((x) => (Math.abs(x) < 1e-4 ? 0 : x));
const tensor = (length: number, type: Dtype): fc.Arbitrary<Stored> =>
  fc
    .array(upTo(100), { minLength: length, maxLength: length })
    .map((values) => ({ dtype: type, bytes: fromFloat32(Float32Array.from(values), type) }));

/** A base and one to four experts of one length, each in its own dtype, with a weight for each expert. */
const family = fc
  .record({ length: fc.integer({ min: 1, max: 70 }), dtypes: fc.array(dtype, { minLength: 2, maxLength: 5 }) })
  .chain(({ length, dtypes }) =>
    fc.record({
      parents: fc.tuple(...dtypes.map((type) => tensor(length, type))),
      weights: fc.array(upTo(2), { minLength: dtypes.length - 1, maxLength: dtypes.length - 1 }),
    }),
  )
  .map(({ parents: [base, ...experts], weights }) => ({ base: base!, experts: byName(experts), weights }));

function byName(experts: readonly Stored[]): Record<string, Stored> {
  return Object.fromEntries(experts.map((expert, i) => [`expert ${i}`, expert]));
}

function f32(...values: number[]): Stored {
  return { dtype: "f32", bytes: fromFloat32(Float32Array.from(values), "f32") };
}

/** The same numbers for each of the method's parameters, as far as these are defined for them. */
function stepOf(method: MethodName, weights: readonly number[]): Step {
  const values = declarations[method].parameters.map(({ name, limits: [least, most] = [-Infinity, Infinity] }) => [
    name,
    weights.map((weight) => Math.min(most, Math.max(least, weight))),
  ]);
  return { method, values: Object.fromEntries(values) as Record<string, number[]> };
}

/** The step of a case with parameters of its own. */
function sparseStep({
  method,
  weight = [],
  density,
  gamma,
  epsilon,
  lambda_ = 1,
  normalize = false,
}: MergekitCase): Step {
  const given = { weight, density, gamma, epsilon, lambda: weight.map(() => lambda_) };
  const values = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { method, values: values as Record<string, readonly number[]>, options: { normalize } };
}

/** As many experts as the method takes, and no more than there are; the first of them again where they are too few. */
function asMany<T>(method: MethodName, experts: readonly T[]): T[] {
  const { least = 1, most = Number.POSITIVE_INFINITY } = declarations[method].experts ?? {};
  return Array.from(
    { length: Math.min(most, Math.max(least, experts.length)) },
    (_, i) => experts[i % experts.length]!,
  );
}

/** The largest distance between two tensors, counted in numbers that their dtype can hold. */
function unitsApart(a: Uint8Array, b: Uint8Array, type: Dtype): number {
  const size = bytesPerElement[type];
  const ordered = (bytes: Uint8Array): number[] => {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return Array.from({ length: bytes.length / size }, (_, i) => {
      const bits = size === 4 ? view.getInt32(4 * i, true) : view.getInt16(2 * i, true);
      return bits >= 0 ? bits : -(2 ** (8 * size - 1)) - bits;
    });
  };
  const others = ordered(b);
  return Math.max(...ordered(a).map((value, i) => Math.abs(value - others[i]!)));
}

describe("mergeTensor", () => {
  let device: Device;
  beforeAll(async () => {
    device = await openGgml({ backend: "cpu" });
  });
  afterAll(() => device[Symbol.asyncDispose]());

  async function merge(
    base: Stored,
    experts: Readonly<Record<string, Stored>>,
    step: Step,
    rows?: number,
  ): Promise<Uint8Array> {
    const uploaded = await Promise.all(
      Object.entries({ base, ...experts }).map(async ([name, { bytes, dtype }]) => {
        const count = bytes.length / bytesPerElement[dtype];
        const shape = rows === undefined ? [count] : [rows, count / rows];
        return [name, await device.upload(bytes, dtype, shape)] as const;
      }),
    );
    const models = Object.fromEntries(uploaded.map(([name, tensor]) => [name, input(tensor)]));
    const [, first] = uploaded[0]!;
    const named = Object.entries(experts).map(([name, stored]) => ({ name, stored }));
    const { facts, leaves } = await prepareMerge(step, { weight: "w", shape: first.shape, base, experts: named });
    const made: DeviceTensor[] = [];
    const onDevice: Record<string, Expression>[] = leaves.map(() => ({}));
    for (const [i, own] of leaves.entries()) {
      for (const [name, values] of Object.entries(own)) {
        made.push(await device.upload(new Uint8Array(values.buffer), "f32", first.shape));
        onDevice[i]![name] = input(made.at(-1)!);
      }
    }
    const parents = { models, base: "base", experts: Object.keys(experts), ...facts, leaves: onDevice };
    const [result] = await device.run([mergeTensor(parents, step)]);
    const bytes = await device.read(result!);
    device.free(result!, ...made, ...uploaded.map(([, tensor]) => tensor));
    return bytes;
  }

  test.each([...methodsByColumn, ...combinations])(
    "%s gives the bits of f32 arithmetic rounded once",
    async (method) => {
      await fc.assert(
        fc.asyncProperty(family, async ({ base, experts: all, weights }) => {
          const experts = byName(asMany(method, Object.values(all)));
          const step = stepOf(method, asMany(method, weights));
          const gram = await gramOf(base, Object.values(experts));
          const [found, expected] = [await merge(base, experts, step), referenceMerge(base, experts, step, gram)];
          expect(numbersOf(found, base.dtype)).toEqual(numbersOf(expected, base.dtype));
        }),
      );
    },
  );

  test.each(methodsByColumn)("%s by columns gives the bits of f32 arithmetic rounded once", async (method) => {
    const inRows = family.chain((own) =>
      fc.record({ own: fc.constant(own), rows: fc.integer({ min: 1, max: 4 }), seed: fc.nat() }),
    );
    await fc.assert(
      fc.asyncProperty(inRows, async ({ own: { base, experts, weights }, rows, seed }) => {
        const stream = RandomStream.of(seed, "columns");
        const columns = base.bytes.length / bytesPerElement[base.dtype];
        const repeated = ({ bytes, dtype }: Stored): Stored => ({
          dtype,
          bytes: Buffer.concat(Array(rows).fill(bytes)),
        });
        const parents = [repeated(base), byName(Object.values(experts).map(repeated))] as const;
        const values = weights.map((weight) =>
          pack(Float32Array.from({ length: columns }, () => weight + stream.normal())),
        );
        const step: Step = { method, values: { weight: values } };
        expect(await merge(...parents, step, rows)).toEqual(new Uint8Array(referenceMerge(...parents, step)));
        // A tensor of one dimension, such as a norm's, has nothing but columns.
        expect(await merge(base, experts, step)).toEqual(referenceMerge(base, experts, step));
      }),
    );
  });

  test("says how many coefficients the columns of a tensor have to have", async () => {
    const step: Step = { method: "linear", values: { weight: [pack(Float32Array.of(1, 2))] } };
    await expect(merge(f32(1, 2, 3), byName([f32(4, 5, 6)]), step)).rejects.toThrow(
      "expected f32 [3], or 1 in some places, found f32 [2]",
    );
  });

  test.each(mergekitCases)("$method of $dtype with weights $weights is that of mergekit", async (expected) => {
    const stored = (base64: string): Stored => ({ dtype: expected.dtype, bytes: Buffer.from(base64, "base64") });
    const experts = byName(expected.experts.map(stored));
    const step = expected.density ? sparseStep(expected) : stepOf(expected.method, expected.weights);
    const merged = await merge(stored(expected.base), experts, step);
    if (declarations[expected.method].derive) {
      const [own, other] = [merged, Buffer.from(expected.merged, "base64")].map((bytes) => toFloat32(bytes, "f32"));
      const largest = Math.max(...other!.map(Math.abs));
      expect(Math.max(...own!.map((value, i) => Math.abs(value - other![i]!)))).toBeLessThanOrEqual(1e-6 * largest);
      return;
    }
    const apart = unitsApart(merged, Buffer.from(expected.merged, "base64"), expected.dtype);
    // mergekit sums in another order: where terms cancel, the last bits of an f32 differ.
    expect(apart).toBeLessThanOrEqual(expected.dtype === "f32" ? 16 : 1);
  });

  test.each(combinations.filter((name) => !declarations[name].needsBase))(
    "%s among equal experts gives these, whatever the base",
    async (method) => {
      await fc.assert(
        fc.asyncProperty(family, async ({ base, experts, weights }) => {
          const [first] = Object.values(experts);
          const bytes = fromFloat32(toFloat32(first!.bytes, first!.dtype), base.dtype);
          const equal = byName(asMany(method, Object.keys(experts)).map(() => ({ dtype: base.dtype, bytes })));
          expect(await merge(base, equal, stepOf(method, asMany(method, weights)))).toEqual(bytes);
        }),
      );
    },
  );

  test("the linear average of equal models is that model, to the rounding of the weights", async () => {
    await fc.assert(
      fc.asyncProperty(family, async ({ base, experts }) => {
        const names = Object.keys(experts);
        const equal = Object.fromEntries(names.map((name) => [name, base]));
        const merged = await merge(base, equal, stepOf("linear", Array(names.length).fill(1 / names.length)));
        expect(unitsApart(merged, base.bytes, base.dtype)).toBeLessThanOrEqual(base.dtype === "f32" ? 4 : 1);
      }),
    );
  });

  test("task arithmetic with all weights 0 gives the base", async () => {
    await fc.assert(
      fc.asyncProperty(family, async ({ base, experts, weights }) => {
        const step = stepOf("task_arithmetic", Array(weights.length).fill(0));
        expect(await merge(base, experts, step)).toEqual(base.bytes);
      }),
    );
  });

  test("task arithmetic with weight 1 for one expert gives that expert, to a unit of its dtype", async () => {
    // Far from the base an f32 difference loses bits of the expert, so the experts are near it, as fine-tunes are.
    const near = fc.array(fc.tuple(fc.double({ min: 0.5, max: 2, noNaN: true }), fc.double({ min: 0.9, max: 1.1 })), {
      minLength: 1,
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(near, fc.constantFrom<Dtype>("f16", "bf16"), fc.nat(2), async (pairs, type, chosen) => {
        const stored = (values: readonly number[]): Stored => ({
          dtype: type,
          bytes: fromFloat32(Float32Array.from(values), type),
        });
        const base = stored(pairs.map(([value]) => value));
        const experts = byName([1, -1, 0.5].map((scale) => stored(pairs.map(([x, ratio]) => x * ratio ** scale))));
        const oneHot = [0, 1, 2].map((i) => Number(i === chosen));
        const merged = await merge(base, experts, stepOf("task_arithmetic", oneHot));
        expect(unitsApart(merged, experts[`expert ${chosen}`]!.bytes, type)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("linear with weight 1 for one expert gives that expert", async () => {
    await fc.assert(
      fc.asyncProperty(family, async ({ base, experts, weights }) => {
        const step = stepOf("linear", [1, ...Array<number>(weights.length - 1).fill(0)]);
        const expected = referenceMerge(base, experts, { method: "passthrough", model: "expert 0" });
        expect(await merge(base, experts, step)).toEqual(expected);
      }),
    );
  });

  test("passthrough copies every bit of a model of the base's dtype, NaN and infinity too", async () => {
    const halves = fc.uint8Array({ minLength: 2, maxLength: 64 }).map((bytes) => bytes.subarray(bytes.length % 2));
    await fc.assert(
      fc.asyncProperty(halves, fc.constantFrom<Dtype>("f16", "bf16"), async (bytes, dtype) => {
        const experts = { other: { dtype, bytes: bytes.toReversed() }, kept: { dtype, bytes } };
        const passed = await merge({ dtype, bytes: bytes.toSorted() }, experts, {
          method: "passthrough",
          model: "kept",
        });
        expect(passed).toEqual(new Uint8Array(bytes));
      }),
    );
  });

  test("passthrough of a model in another dtype rounds to that of the base", async () => {
    const values = Float32Array.of(1, 1 + 2 ** -9, -3.3);
    const base: Stored = { dtype: "bf16", bytes: new Uint8Array(6) };
    const experts = { wide: { dtype: "f32" as const, bytes: fromFloat32(values, "f32") } };
    const passed = await merge(base, experts, { method: "passthrough", model: "wide" });
    expect(passed).toEqual(fromFloat32(values, "bf16"));
  });

  test("passthrough with a scale multiplies in f32 and rounds once", async () => {
    const values = Float32Array.of(1, 1 + 2 ** -7, -3.25);
    const stored: Stored = { dtype: "bf16", bytes: fromFloat32(values, "bf16") };
    const scaled = await merge(stored, { kept: stored }, { method: "passthrough", model: "kept", scale: 1 / 3 });
    const expected = values.map((value) => Math.fround(value * Math.fround(1 / 3)));
    expect(scaled).toEqual(fromFloat32(expected, "bf16"));
  });

  test("refuses weights that are not one for each expert", async () => {
    const base: Stored = { dtype: "f32", bytes: new Uint8Array(4) };
    const experts = byName([base, base]);
    await expect(merge(base, experts, stepOf("linear", [1]))).rejects.toThrow("merge: 2 experts, 1 values of weight");
    await expect(merge(base, experts, { method: "linear", values: {} })).rejects.toThrow(
      "2 experts, undefined values of weight",
    );
  });
});
