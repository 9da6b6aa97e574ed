import { expect, test } from "vitest";
import { add, cast, input, matmul, mul, scale, silu, softmax, type Expression } from "../../src/device/expression.ts";
import { gradients } from "../../src/device/gradient.ts";
import { inOrder, substitute } from "../../src/device/graph.ts";
import { worthKeeping } from "../../src/device/worth-keeping.ts";
import type { Shape } from "../../src/tensor/dtype.ts";

/** Graphs are plain data: no device is needed to build one. */
function tensor(shape: Shape): Expression {
  return input({ dtype: "f32", shape });
}

/** softmax(silu(x w) (x w')) w, with a merged w. */
function graphOf(x: Expression): Record<"merged" | "gate" | "up" | "shares" | "output", Expression> {
  const merged = cast(cast(add(tensor([4, 4]), scale(tensor([4, 4]), 0.3)), "bf16"), "f32");
  const [gate, up] = [matmul(x, merged), matmul(x, tensor([4, 4]))];
  const shares = softmax(mul(silu(gate), up));
  return { merged, gate, up, shares, output: matmul(shares, merged) };
}

function derivativesOf({ output, merged }: ReturnType<typeof graphOf>, x: Expression): Expression[] {
  return gradients([{ output, seed: tensor([3, 4]) }], [x, merged]).map((derivative) => derivative!);
}

function count(nodes: readonly Expression[], op: string): number {
  return nodes.filter((node) => node.op === op).length;
}

test("worth keeping are results that derivatives read and that take long, not what is only on the way to them", () => {
  const x = tensor([3, 4]);
  const graph = graphOf(x);
  const kept = worthKeeping(new Set(inOrder([graph.output])), derivativesOf(graph, x));
  // Not the merged weight, though it is read, nor silu and the product of elements, nor what the graph is computed for.
  expect(kept).toEqual(new Set([graph.gate, graph.up, graph.shares]));
});

test("what is kept is not computed again, nor what only that was computed from", () => {
  const x = tensor([3, 4]);
  const graph = graphOf(x);
  const derivatives = derivativesOf(graph, x);
  const kept = worthKeeping(new Set(inOrder([graph.output])), derivatives);
  const inputs = new Map(Array.from(kept, (node): [Expression, Expression] => [node, tensor(node.shape)]));
  const computed = inOrder(substitute(derivatives, inputs));
  const forward = new Set(inOrder([graph.output]));
  const again = computed.filter((node) => forward.has(node) && node.op !== "input");
  expect(again).not.toContain(graph.gate);
  expect(new Set(again)).toEqual(new Set(inOrder([graph.merged]).filter(({ op }) => op !== "input")));
  expect(count(inOrder(derivatives), "matmul") - count(computed, "matmul")).toBe(2);
  expect(count(computed, "softmax")).toBe(0);
});

test("a graph in which nothing is replaced is the same, node by node", () => {
  const { output, gate } = graphOf(tensor([3, 4]));
  expect(substitute([output, gate], new Map())[0]).toBe(output);
  const other = tensor(gate.shape);
  expect(substitute([output, gate], new Map([[gate, other]]))[1]).toBe(other);
});
