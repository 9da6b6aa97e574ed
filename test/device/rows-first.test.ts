import { describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import {
  abs,
  add,
  constant,
  div,
  gatherRows,
  input,
  mul,
  scale,
  step,
  type Expression,
} from "../../src/device/expression.ts";
import { inOrder } from "../../src/device/graph.ts";
import { rowsFirst } from "../../src/device/rows-first.ts";
import { mergeTensor } from "../../src/merge/merge-tensor.ts";
import type { Step } from "../../src/merge/recipe.ts";
import type { Dtype } from "../../src/tensor/dtype.ts";
import { fromFloat32 } from "../../src/tensor/half.ts";
import { pack } from "../../src/tensor/packed.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { testedEngines } from "./tested-engines.ts";

const ROWS = 9;
const WIDTH = 24;
const steps: readonly Step[] = [
  { method: "task_arithmetic", values: { weight: [0.3, 0.9] } },
  { method: "linear", values: { weight: [0.4, 0.7] } },
  { method: "task_arithmetic", values: { weight: [0.3, 0.9].map((mean) => pack(columnsAround(mean))) } },
  { method: "passthrough", model: "b" },
];

function columnsAround(mean: number): Float32Array {
  const stream = RandomStream.of(2, String(mean));
  return Float32Array.from({ length: WIDTH }, () => mean + stream.normal());
}

async function tableOf(device: Device, step: Step, dtypes: Readonly<Record<string, Dtype>>): Promise<Expression> {
  const models: Record<string, Expression> = {};
  for (const [name, dtype] of Object.entries(dtypes)) {
    const stream = RandomStream.of(1, name);
    const values = fromFloat32(
      Float32Array.from({ length: ROWS * WIDTH }, () => stream.normal()),
      dtype,
    );
    models[name] = input(await device.upload(new Uint8Array(values), dtype, [ROWS, WIDTH]));
  }
  return mergeTensor({ models, base: "base", experts: ["a", "b"] }, step);
}

describe.each(testedEngines)("rows taken before a table is merged, on %s", (_, open) => {
  test.each([
    { base: "bf16", a: "bf16", b: "bf16" },
    { base: "f16", a: "bf16", b: "f32" },
    { base: "f32", a: "f32", b: "f32" },
  ] as const)("have the bits of the whole table's: $base, $a, $b", async (dtypes) => {
    await using device = await open();
    for (const step of steps) {
      const table = await tableOf(device, step, dtypes);
      const rows = input(await device.upload(new Uint8Array(Int32Array.of(7, 0, 7, 3).buffer), "i32", [4]));
      const taken = gatherRows(table, rows);
      for (const whole of [taken, scale(taken, 1.7)]) {
        const [first] = rowsFirst([whole]) as [Expression];
        const sizes = inOrder([first]).flatMap(({ op, shape }) =>
          op === "input" || op === "constant" ? [] : [shape[0]],
        );
        expect(new Set(sizes)).toEqual(new Set([4]));
        const [expected, found] = await device.run([whole, first]);
        expect(await device.read(found!)).toEqual(await device.read(expected!));
      }
    }
  });

  test("have the bits of masks and quotients too", async () => {
    await using device = await open();
    const merged = await tableOf(device, steps[0]!, { base: "f32", a: "f32", b: "f32" });
    const other = await tableOf(device, steps[1]!, { base: "f32", a: "f32", b: "f32" });
    const table = div(step(abs(merged)), other);
    const taken = gatherRows(table, input(await device.upload(new Uint8Array(Int32Array.of(7, 0).buffer), "i32", [2])));
    const [first] = rowsFirst([taken]) as [Expression];
    const [expected, found] = await device.run([taken, first]);
    expect(await device.read(found!)).toEqual(await device.read(expected!));
    expect(first.op).toBe("div");
  });

  test("have the bits where each row is multiplied by a number of its own", async () => {
    await using device = await open();
    const [one, other] = [0, 1].map(() => tableOf(device, steps[0]!, { base: "f32", a: "f32", b: "f32" }));
    const numbers = Float32Array.from({ length: ROWS }, (_, i) => 1.3 ** i);
    const table = add(mul(await one!, constant(numbers, [ROWS, 1])), await other!);
    const taken = gatherRows(table, input(await device.upload(new Uint8Array(Int32Array.of(7, 0).buffer), "i32", [2])));
    const [first] = rowsFirst([taken]) as [Expression];
    const [expected, found] = await device.run([taken, first]);
    expect(await device.read(found!)).toEqual(await device.read(expected!));
    expect(first.op).toBe("add");
  });

  test("are taken afterwards where they are as many as the table has", async () => {
    await using device = await open();
    const table = await tableOf(device, steps[0]!, { base: "bf16", a: "bf16", b: "bf16" });
    const rows = input(await device.upload(new Uint8Array(new Int32Array(5).buffer), "i32", [5]));
    const two = [gatherRows(table, rows), gatherRows(table, rows)];
    expect(rowsFirst(two)).toEqual(two);
    const scaled = two.map((rows) => scale(rows, 1.7));
    expect(rowsFirst(scaled)).toEqual(scaled);
    expect(rowsFirst([table])).toEqual([table]);
  });
});
