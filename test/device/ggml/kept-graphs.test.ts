import { expect, test } from "vitest";
import { input } from "../../../src/device/expression.ts";
import type { KeptGraph } from "../../../src/device/ggml/kept-graph.ts";
import { KeptGraphs } from "../../../src/device/ggml/kept-graphs.ts";
import { isSameStructure, structureOf, type Structure } from "../../../src/device/structure.ts";

const structures = Array.from({ length: 20 }, (_, i) => ({
  ...structureOf([input({ dtype: "f32", shape: [i + 1] })]),
  separately: false,
}));

function fakeGraph(own: Structure, free: () => void, bytes = 1): KeptGraph {
  return { has: (structure: Structure) => isSameStructure(own, structure), free, bytes } as never;
}

test("graphs are kept as long as their nodes take no more than 64 MB together, and one that takes more is not", () => {
  const freed: number[] = [];
  const graphs = new KeptGraphs();
  for (const [i, bytes] of [2 ** 25, 2 ** 25, 1, 2 ** 26 + 1].entries()) {
    graphs.put(fakeGraph(structures[i]!, () => freed.push(i), bytes));
    expect(freed).toEqual([[], [], [0], [0, 3]][i]);
  }
});

test("a graph is somebody's until it is put back, and those that were used last are kept", () => {
  const freed: number[] = [];
  const graphOf = (own: Structure, i: number): KeptGraph => fakeGraph(own, () => freed.push(i));
  const graphs = new KeptGraphs();
  const all = structures.map(graphOf);
  for (const graph of all.slice(0, 16)) graphs.put(graph);
  expect(graphs.has(structures[0]!)).toBe(true);
  expect(graphs.take(structures[0]!)).toBe(all[0]);
  expect(graphs.take(structures[0]!)).toBeUndefined();
  for (const graph of [all[0]!, ...all.slice(16)]) graphs.put(graph);
  expect(freed).toEqual([1, 2, 3, 4]);
  expect(graphs.take(structures[16]!)).toBe(all[16]);
  graphs.clear();
  expect(freed).toHaveLength(19);
  expect(graphs.has(structures[0]!)).toBe(false);
});
