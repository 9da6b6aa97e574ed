import { expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { add, input, mul } from "../../src/device/expression.ts";
import { f32Bytes, f32Values } from "./sample-values.ts";

/** Registers what holds of graphs that are computed one after the other. */
export function testGraphs(device: () => Device): void {
  test("graphs that differ in nothing but what reads what are computed one after the other", async () => {
    const x = input(await device().upload(f32Bytes([1, 2, 3]), "f32", [3]));
    const y = input(await device().upload(f32Bytes([5, 7, 11]), "f32", [3]));
    const [sum, product] = [add(x, y), mul(x, y)];
    const [more, scaled] = [add(sum, x), mul(product, x)];
    const both = add(more, scaled);
    // Of as many nodes, which read as many that are computed; the latter reads the first sum for longer.
    const graphs = [mul(both, both), mul(add(more, sum), scaled)];
    const found: number[][] = [];
    for (const graph of [...graphs, ...graphs]) {
      const [result] = await device().run([graph]);
      found.push([...f32Values(await device().read(result!))]);
    }
    const expected = [
      [144, 1521, 13_456],
      [65, 560, 3069],
    ];
    expect(found).toEqual([...expected, ...expected]);
  });
}
