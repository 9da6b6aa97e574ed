import { createHash } from "node:crypto";
import { totalmem } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Device, DeviceTensor } from "../../src/device/device.ts";
import {
  add,
  cast,
  constant,
  input,
  logProbability,
  mul,
  reshape,
  scale,
  silu,
  sub,
  type Expression,
} from "../../src/device/expression.ts";
import { inOrder, operations } from "../../src/device/graph.ts";
import { attention, linear, rmsNorm } from "../../src/device/layers.ts";
import type { Shape } from "../../src/tensor/dtype.ts";
import { cpuMs } from "../cpu-time.ts";
import { gradientCases } from "./gradient-cases.ts";
import { differentiate, testGradients } from "./gradient-contract.ts";
import { testGraphs } from "./graph-contract.ts";
import { testIncoming } from "./incoming-contract.ts";
import { mapValues } from "./map-values.ts";
import { operationCases, type StoredTensor } from "./operation-cases.ts";
import { testProducts } from "./product-contract.ts";
import { bf16Bytes, bf16Values, causalMask, f32Bytes, f32Values, generator, noise } from "./sample-values.ts";
import type { Tolerance } from "./tolerances.ts";

const now = (): { ms: number; ofCpu: number } => ({ ms: performance.now(), ofCpu: cpuMs() });

/** Registers the tests that every engine must pass; `open` starts a device of its own each time. */
export function describeEngine(name: string, open: () => Promise<Device>, tolerance: Tolerance): void {
  describe(name, () => {
    let device: Device;
    beforeAll(async () => {
      device = await open();
    });
    afterAll(() => device[Symbol.asyncDispose]());

    const f32 = (values: ArrayLike<number>, shape: Shape): Promise<DeviceTensor> =>
      device.upload(f32Bytes(values), "f32", shape);
    const f32Of = async (tensor: DeviceTensor): Promise<Float32Array> => f32Values(await device.read(tensor));
    const valuesOf = async (tensor: DeviceTensor): Promise<number[]> => [...(await f32Of(tensor))];
    const runOne = async (output: Expression): Promise<DeviceTensor> => (await device.run([output]))[0]!;

    describe("operations", () => {
      test("the fixtures cover every operation", () => {
        const built = [
          ...operationCases.map(({ inputs, build }) => build(mapValues(inputs, input))),
          ...gradientCases.flatMap((stored) => differentiate(stored, input)),
          constant(Float32Array.of(1), [1]),
        ];
        const found = new Set(inOrder(built).map(({ op }) => op));
        expect([...found].toSorted()).toEqual(operations.toSorted());
      });

      test.each(operationCases)("$op agrees with PyTorch: $name", async ({ inputs, expected, kind, build }) => {
        const operands: Record<string, Expression> = {};
        for (const [name, { bytes, dtype, shape }] of Object.entries(inputs)) {
          operands[name] = input(await device.upload(bytes, dtype, shape));
        }
        const found = await runOne(build(operands));
        expect({ dtype: found.dtype, shape: found.shape }).toEqual({ dtype: expected.dtype, shape: expected.shape });
        expectClose(await device.read(found), expected, kind === "exact" ? 0 : tolerance[kind]);
      });

      testGraphs(() => device);
      testProducts(() => device, tolerance);
      testGradients(() => device, open, tolerance);

      test("a task-arithmetic merge gives the bits of IEEE f32 arithmetic", async () => {
        const random = generator(1);
        const models = [0, 1, 2].map(() => bf16Values(bf16Bytes(Array.from({ length: 4099 }, random))));
        const [base = [], ...tuned] = models;
        const uploaded = await Promise.all(models.map((values) => device.upload(bf16Bytes(values), "bf16", [4099])));
        const [origin, ...others] = uploaded.map((tensor) => cast(input(tensor), "f32"));
        const coefficients = [0.7, -0.35];
        const merged = others.reduce(
          (sum, other, i) => add(sum, scale(sub(other, origin!), coefficients[i]!)),
          origin!,
        );
        const reference = tuned.reduce<readonly number[]>(
          (sum, other, i) =>
            sum.map((value, k) => {
              const difference = Math.fround(other[k]! - base[k]!);
              return Math.fround(value + Math.fround(Math.fround(coefficients[i]!) * difference));
            }),
          base,
        );
        expect(await device.read(await runOne(cast(merged, "bf16")))).toEqual(bf16Bytes(reference));
      });
    });

    describe("upload and read", () => {
      testIncoming(() => device);

      test.each([
        { dtype: "f32", bytes: f32Bytes([0.1, -0, 3e-39, Infinity, -1e30, 7]) },
        {
          dtype: "f16",
          bytes: new Uint8Array([0x01, 0x00, 0xff, 0x7b, 0x00, 0x80, 0x66, 0x2e, 0x00, 0xfc, 0x00, 0x3c]),
        },
        {
          dtype: "bf16",
          bytes: new Uint8Array([0x01, 0x00, 0x7f, 0x7f, 0x00, 0x80, 0xcd, 0x3d, 0x80, 0xff, 0x80, 0x3f]),
        },
        { dtype: "i32", bytes: new Uint8Array(new Int32Array([0, -1, 2 ** 31 - 1, -(2 ** 31), 16777217, 5]).buffer) },
      ] as const)("$dtype bytes come back unchanged, from any offset", async ({ dtype, bytes }) => {
        const shifted = new Uint8Array(bytes.length + 1);
        shifted.set(bytes, 1);
        const tensor = await device.upload(shifted.subarray(1), dtype, [2, 3]);
        shifted.fill(0);
        expect(await device.read(tensor)).toEqual(bytes);
        expect({ dtype: tensor.dtype, shape: tensor.shape }).toEqual({ dtype, shape: [2, 3] });
      });
    });

    describe("run", () => {
      test("numbers that come with a computation are on the device for as long as that takes", async () => {
        const table = await f32([1, 2, 3, 4, 5, 6], [2, 3]);
        const values = Float32Array.of(0, 10, 0.1, -1, 7).subarray(1, 4);
        const columns = constant(values, [1, 3]);
        const before = device.memory.bytes;
        const results = await device.run([mul(input(table), columns), columns, scale(columns, 2)]);
        values.fill(9);
        const found: number[][] = [];
        for (const result of results) found.push(await valuesOf(result));
        const [tenth] = Float32Array.of(0.1) as unknown as [number];
        const products = [10, Math.fround(2 * tenth), -3, 40, Math.fround(5 * tenth), -6];
        expect(found).toEqual([products, [10, tenth, -1], [20, Math.fround(2 * tenth), -2]]);
        device.free(...results);
        expect(device.memory.bytes).toBe(before);
        expect(() => constant(values, [2, 2])).toThrow("constant: expected numbers of [2, 2], found f32 [3]");
      });

      test("a node that is used twice is computed once", async () => {
        let sum = input(await f32([1, -3], [2]));
        for (let i = 0; i < 60; i++) sum = add(sum, sum);
        expect(await valuesOf(await runOne(sum))).toEqual([2 ** 60, -3 * 2 ** 60]);
      });

      test("outputs are tensors of their own, even where an output is an input, a view or asked for twice", async () => {
        const tensor = await f32([1, 2, 3, 4], [4]);
        const x = input(tensor);
        const square = reshape(x, [2, 2]);
        const doubled = add(square, square);
        const outputs = await device.run([x, square, doubled, doubled, reshape(doubled, [4]), mul(doubled, doubled)]);
        device.free(tensor);
        const found: number[][] = [];
        for (const output of outputs) {
          found.push(await valuesOf(output));
          device.free(output);
        }
        const twice = [2, 4, 6, 8];
        expect(found).toEqual([[1, 2, 3, 4], [1, 2, 3, 4], twice, twice, twice, [4, 16, 36, 64]]);
      });

      test("gives the same bits again, alone or among concurrent runs", async () => {
        const random = generator(2);
        const square = (): Promise<DeviceTensor> => f32(noise(random, 256 * 256), [256, 256]);
        const shared = [await f32(noise(random, 256), [256]), await square(), await square()];
        shared.push(await f32(causalMask(4, 64), [4, 64, 64]));
        const graphs: Expression[] = [];
        for (let i = 0; i < 4; i++) graphs.push(block(input(await square()), shared.map(input)));
        const alone: Uint8Array[] = [];
        for (const graph of graphs) alone.push(await device.read(await runOne(graph)));
        const together = await Promise.all(graphs.map(async (graph) => device.read(await runOne(graph))));
        expect(together.map(digest)).toEqual(alone.map(digest));
        expect(new Set(alone.map(digest)).size).toBe(graphs.length);
      });

      test("keeps timers alive during a long computation", async () => {
        // Exact in any float format: row i of x is i % 3, and each row of a weight averages.
        const rows = 2048;
        const expected = new Float32Array(rows * 1024).map((_, k) => Math.floor(k / 1024) % 3);
        const x = await f32(expected, [rows, 1024]);
        const up = await f32(new Float32Array(4096 * 1024).fill(1 / 1024), [4096, 1024]);
        const down = await f32(new Float32Array(1024 * 4096).fill(1 / 4096), [1024, 4096]);
        const targets = await device.upload(new Uint8Array(rows * 4), "i32", [rows]);
        const hidden = linear(input(x), input(up));
        const outputs = [linear(hidden, input(down)), logProbability(hidden, input(targets))];

        const ticks = [now()];
        const timer = setInterval(() => ticks.push(now()), 20);
        const [means, uniform] = await device.run(outputs);
        clearInterval(timer);
        ticks.push(now());

        // Other processes may take the CPU away, and a computation's own threads may use much of it.
        const gaps = ticks.slice(1).map(({ ms, ofCpu }, i) => Math.min(ms - ticks[i]!.ms, ofCpu - ticks[i]!.ofCpu));
        expect(Math.max(...gaps)).toBeLessThan(500);
        expect((await f32Of(means!)).every((value, k) => value === expected[k])).toBe(true);
        expect((await f32Of(uniform!)).every((value) => Math.abs(value + Math.log(4096)) < 1e-4)).toBe(true);
        device.free(x, up, down, targets, means!, uniform!);
      });

      test("refuses a freed tensor and keeps no memory", async () => {
        const [kept, freed] = [await f32([1, 2], [2]), await f32([3, 4], [2])];
        device.free(freed);
        const before = device.memory.bytes;
        const doubled = add(input(kept), input(kept));
        await expect(device.run([doubled, add(doubled, input(freed))])).rejects.toThrow(/freed/);
        expect(device.memory.bytes).toBe(before);
      });
    });

    describe("memory", () => {
      test("returns to its start once all is freed, and its peak counts what a run held", async () => {
        await using fresh = await open();
        const start = fresh.memory.bytes;
        const x = await fresh.upload(f32Bytes(noise(generator(3), 64 * 512)), "f32", [64, 512]);
        const weight = await fresh.upload(f32Bytes(noise(generator(4), 512 * 512)), "f32", [512, 512]);
        expect(fresh.memory.bytes - start).toBeGreaterThanOrEqual(4 * (64 * 512 + 512 * 512));
        const targets = await fresh.upload(new Uint8Array(64 * 4), "i32", [64]);
        const outputs = await fresh.run([logProbability(linear(input(x), input(weight)), input(targets))]);
        const { bytes, peakBytes } = fresh.memory;
        expect(peakBytes).toBeGreaterThanOrEqual(start + 4 * (64 * 512 + 512 * 512 + 64 * 512));
        expect(peakBytes).toBeGreaterThan(bytes);
        fresh.free(x, weight, targets, ...outputs);
        expect(fresh.memory).toMatchObject({ bytes: start, peakBytes });
      });

      test("is at most what the machine has left, or not known", async () => {
        const { capacityBytes } = device.memory;
        if (capacityBytes !== undefined) expect(capacityBytes).toBeGreaterThan(0);
        // Something of any machine's memory is in use, this process at least.
        if (device.kind === "cpu") expect(capacityBytes).toBeLessThan(totalmem());
        const tensor = await device.upload(bf16Bytes([1, 2, 3]), "bf16", [3]);
        expect(device.bytesOf(tensor)).toBeGreaterThanOrEqual(6);
        device.free(tensor);
      });

      test("a run gives back what no later node reads", async () => {
        await using fresh = await open();
        let sum = input(await fresh.upload(new Uint8Array(2 ** 20), "f32", [2 ** 18]));
        for (let i = 0; i < 30; i++) sum = add(sum, sum);
        await fresh.run([sum]);
        expect(fresh.memory.peakBytes).toBeLessThan(10 * 2 ** 20);
      });

      test("freeing or reading a freed tensor throws", async () => {
        const tensor = await f32([1], [1]);
        device.free(tensor);
        expect(() => device.free(tensor)).toThrow(/freed/);
        await expect(device.read(tensor)).rejects.toThrow(/freed/);
      });

      test("a freed tensor is kept for what already reads it, and for nothing else", async () => {
        const values = f32Bytes(noise(generator(12), 2048 * 1024));
        const x = await device.upload(values, "f32", [2048, 1024]);
        const { bytes } = device.memory;
        const square = reshape(input(x), [1024, 2048]);
        const product = linear(square, square);
        const expected = await runOne(product);
        // More runs than the device has lanes: some of them wait.
        const runs = Array.from({ length: 2 * device.concurrency + 1 }, () => runOne(product));
        const reading = device.read(x);
        device.free(x);
        expect(() => device.free(x)).toThrow(/freed/);
        await expect(device.read(x)).rejects.toThrow(/freed/);
        await expect(runOne(scale(square, 2))).rejects.toThrow(/freed/);
        expect(digest(await reading)).toBe(digest(values));
        for (const found of await Promise.all(runs)) {
          expect(digest(await device.read(found))).toBe(digest(await device.read(expected)));
          device.free(found);
        }
        device.free(expected);
        expect(device.memory.bytes).toBeLessThan(bytes);
      });

      test("closing waits for what is in flight and releases every tensor", async () => {
        const closing = await open();
        // Large enough for copies and products to run beside the event loop.
        const values = f32Bytes(noise(generator(5), 2048 * 1024));
        const x = await closing.upload(values, "f32", [2048, 1024]);
        const square = reshape(input(x), [1024, 2048]);
        const runs = Array.from({ length: 2 * closing.concurrency + 1 }, () => closing.run([linear(square, square)]));
        const [uploading, reading] = [closing.upload(values, "f32", [2048, 1024]), closing.read(x)];
        const work = Promise.all([...runs, uploading, reading]);
        await Promise.all([closing[Symbol.asyncDispose](), closing[Symbol.asyncDispose]()]);
        expect(closing.memory.bytes).toBe(0);
        await work;
        expect(digest(await reading)).toBe(digest(values));
      });

      test("a closed device refuses work and has nothing to free", async () => {
        const closed = await open();
        const tensor = await closed.upload(f32Bytes([1, 2]), "f32", [2]);
        await closed[Symbol.asyncDispose]();
        await expect(closed.upload(f32Bytes([1]), "f32", [1])).rejects.toThrow(/ is closed/);
        await expect(closed.run([scale(input(tensor), 2)])).rejects.toThrow(/ is closed/);
        await expect(closed.read(tensor)).rejects.toThrow(/ is closed/);
        closed.free(tensor);
        await closed[Symbol.asyncDispose]();
        expect(closed.memory.bytes).toBe(0);
      });

      test("closing releases every tensor", async () => {
        const closing = await open();
        const tensor = await closing.upload(f32Bytes([1, 2]), "f32", [2]);
        await closing.run([add(input(tensor), input(tensor))]);
        await closing[Symbol.asyncDispose]();
        expect(closing.memory.bytes).toBe(0);
      });
    });
  });
}

/** One pre-norm decoder layer in small: 4 sequences of 64 tokens, 4 heads of 64. */
function block(x: Expression, [gain, mix, out, mask]: readonly Expression[]): Expression {
  const heads = reshape(linear(rmsNorm(x, gain!, 1e-6), mix!), [4, 64, 4, 64]);
  const attended = attention({ query: heads, key: heads, value: heads, mask: mask! }, { factor: 0.125 });
  return add(x, linear(silu(attended), out!));
}

/** Stands for bytes that a matcher would compare too slowly. */
function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function expectClose(found: Uint8Array, expected: StoredTensor, tolerance: number): void {
  if (tolerance === 0) {
    expect(found).toEqual(expected.bytes);
    return;
  }
  const answers = f32Values(expected.bytes);
  const values = f32Values(found);
  expect(values).toHaveLength(answers.length);
  const errors = [...values].map((value, i) => Math.abs(value - answers[i]!) / Math.max(1, Math.abs(answers[i]!)));
  expect(Math.max(...errors)).toBeLessThanOrEqual(tolerance);
}
