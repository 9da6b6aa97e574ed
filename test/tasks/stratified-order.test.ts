import { expect, test } from "vitest";
import type { TaskRow } from "../../src/tasks/rows.ts";
import { stratifiedOrder } from "../../src/tasks/stratified-order.ts";
import { RandomStream } from "../../src/tensor/random.ts";

function choice(i: number, label: number): TaskRow {
  const own = `${i}`;
  return { id: own, kind: "choice", context: "c", continuations: [" a", " b"], label, passage: own, group: own };
}

test("every beginning of the order has each label in proportion, and all rows are in it", () => {
  const labels = Array.from({ length: 120 }, (_, i) => (i % 6 === 0 ? 2 : i % 2));
  const rows = labels.map((label, i) => choice(i, label));
  const share = (label: number): number => labels.filter((own) => own === label).length / labels.length;
  for (let seed = 0; seed < 20; seed += 1) {
    const order = stratifiedOrder(rows, RandomStream.of(seed));
    expect(order.toSorted((a, b) => Number(a.id) - Number(b.id))).toEqual(rows);
    for (let count = 1; count <= rows.length; count += 1) {
      for (const label of [0, 1, 2]) {
        const found = order.slice(0, count).filter((row) => row.label === label).length;
        expect(Math.abs(found - share(label) * count)).toBeLessThanOrEqual(2);
      }
    }
  }
});

test("every row comes first about equally often, rare labels too", () => {
  const rows = [0, 0, 0, 1, 1, 2].map((label, i) => choice(i, label));
  const firsts = Array.from({ length: 6000 }, (_, seed) => stratifiedOrder(rows, RandomStream.of(seed))[0]!.id);
  for (const { id } of rows) {
    const count = firsts.filter((first) => first === id).length;
    expect(count).toBeGreaterThan(600);
    expect(count).toBeLessThan(1400);
  }
});
