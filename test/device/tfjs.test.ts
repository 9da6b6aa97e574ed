import type { EventEmitter } from "node:events";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { openTfjs } from "../../src/device/tfjs/open-tfjs.ts";
import { SlicePace } from "../../src/device/tfjs/pace.ts";
import { byRows } from "../../src/device/tfjs/rows.ts";
import { TensorMemory } from "../../src/device/tfjs/tensor-memory.ts";
import { UserError } from "../../src/errors.ts";
import { describeEngine } from "./engine-contract.ts";
import { tolerances } from "./tolerances.ts";

const host: EventEmitter = process;
const listeners = (): unknown[] => ["uncaughtException", "unhandledRejection"].map((event) => host.listeners(event));
const listenersBefore = listeners();

describeEngine("TensorFlow.js on wasm", () => openTfjs(), tolerances["tfjs, wasm"].f32);

describe("openTfjs on wasm", () => {
  test("names the engine and leaves no listener on the process", async () => {
    await using device = await openTfjs("wasm");
    expect(device).toMatchObject({ name: expect.stringContaining("wasm 4.22.0 (SIMD"), kind: "cpu", concurrency: 1 });
    expect(listeners()).toEqual(listenersBefore);
  });

  test("refuses a second backend in the process", async () => {
    await using device = await openTfjs();
    expect(device.kind).toBe("cpu");
    await expect(openTfjs("tfjs-node")).rejects.toThrow(UserError);
  });
});

describe("byRows", () => {
  test.each([
    { sliceFlop: 250, blocks: [2, 2, 2, 1] },
    { sliceFlop: 1, blocks: [1, 1, 1, 1, 1, 1, 1] },
    { sliceFlop: Infinity, blocks: [7] },
  ])("cuts seven rows of 100 operations for a backend that takes $sliceFlop at once", async ({ sliceFlop, blocks }) => {
    await using device = await openTfjs();
    expect(device.kind).toBe("cpu");
    const values = Float32Array.from({ length: 14 }, (_, i) => i);
    const x = tf.tensor(values, [7, 2]);
    const found: number[] = [];
    const twice = (rows: tf.Tensor): tf.Tensor => {
      found.push(rows.shape[0]);
      return tf.mul(rows, 2);
    };
    const doubled = await byRows(x, 100, twice, new SlicePace(sliceFlop));
    expect(found).toEqual(blocks);
    expect(await doubled.data()).toEqual(values.map((value) => 2 * value));
    tf.dispose([x, doubled]);
  });
});

describe("TensorMemory", () => {
  test("counts shared data once and a transpose until its matrix goes", async () => {
    await using device = await openTfjs();
    expect(device.kind).toBe("cpu");
    const memory = new TensorMemory(1000);
    const matrix = memory.hold(tf.ones([2, 3]));
    const view = memory.hold(tf.reshape(matrix, [6]));
    expect(memory.bytes).toBe(24);
    expect(memory.transposed(matrix)).toBe(memory.transposed(matrix));
    expect(memory.bytes).toBe(48);
    memory.release(matrix);
    expect(memory.bytes).toBe(24);
    memory.release(view);
    expect(memory).toMatchObject({ bytes: 0, peakBytes: 48 });
  });

  test("refuses what exceeds its limit in one sentence and keeps nothing of it", async () => {
    await using device = await openTfjs();
    expect(device.kind).toBe("cpu");
    const memory = new TensorMemory(2 ** 10);
    const tensors = tf.memory().numTensors;
    expect(() => memory.hold(tf.ones([2 ** 8 + 1]))).toThrow(UserError);
    expect(memory.bytes).toBe(0);
    expect(tf.memory().numTensors).toBe(tensors);
  });
});
