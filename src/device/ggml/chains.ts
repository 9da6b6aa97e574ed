/** Chains of elementwise operations among the nodes of a graph, such as merges. */
import { elementCount, sameShape } from "../../tensor/dtype.ts";
import type { Expression } from "../expression.ts";
import { operands } from "../graph.ts";

/** Of fewer elements, node by node is as fast. */
const LEAST_ELEMENTS = 2 ** 17;

/** Shorter chains are not worth their blocks. */
const LEAST_NODES = 3;

const ELEMENTWISE: ReadonlySet<Expression["op"]> = new Set([
  "cast",
  "add",
  "sub",
  "mul",
  "div",
  "scale",
  "abs",
  "step",
]);

/** Nodes of one shape in their order, of which others read the ends alone. */
export interface Chain {
  readonly nodes: readonly Expression[];
  readonly ends: readonly Expression[];
  /** What they read that is no part of them. */
  readonly sources: readonly Expression[];
}

/** A chain while it is looked for. */
interface Group {
  readonly nodes: Set<Expression>;
  readonly ends: Set<Expression>;
  /** Whether it is computed of what is there before all others, and given to nobody but who asked: no node reads its ends. */
  readonly joins: boolean;
}

/**
 * The chains among nodes in their order, by each end: all other nodes of a chain are read in it alone. Chains that read a node in common
 * are one where all that they end in is asked for, such as the same weight of many merges: then what they read goes through the cache once.
 */
export function chainsOf(
  order: readonly Expression[],
  outputs: readonly Expression[],
  isFree: (node: Expression) => boolean = () => true,
): ReadonlyMap<Expression, Chain> {
  const asked = new Set(outputs);
  const ofGiven = madeOfGiven(order);
  const groups = new Map<Expression, Group>();
  /** Of what was read so far a node of the chain that reads it; undefined where several do, or what is no part of any. */
  const readers = new Map<Expression, Expression | undefined>();
  // Of an end that something reads, another chain may be made that the one with it would need: each would wait for the other.
  const startOf = (end: Expression): Group => ({
    nodes: new Set(),
    ends: new Set([end]),
    joins: asked.has(end) && !readers.has(end) && ofGiven.has(end),
  });
  /** The group of two readers; none where one is no part of a chain, or they stay apart. */
  const joined = (one: Expression | undefined, other: Expression | undefined): Expression | undefined => {
    const [into, from] = [one, other].map((node) => node && groups.get(node));
    if (!into || !from || into === from) return into && from && one;
    if (!into.joins || !from.joins) return undefined;
    for (const node of from.nodes) groups.set(node, into);
    for (const node of from.nodes) into.nodes.add(node);
    for (const end of from.ends) into.ends.add(end);
    return one;
  };
  for (const node of order.toReversed()) {
    if (isPart(node) && isFree(node)) {
      const reader = asked.has(node) ? undefined : readers.get(node);
      const group = (reader && groups.get(reader)) ?? startOf(node);
      group.nodes.add(node);
      groups.set(node, group);
    }
    for (const operand of operands(node)) {
      const reader = groups.has(node) && sameShape(operand.shape, node.shape) ? node : undefined;
      readers.set(operand, readers.has(operand) ? joined(readers.get(operand), reader) : reader);
    }
  }
  const long = [...new Set(groups.values())].filter(({ nodes }) => nodes.size >= LEAST_NODES);
  return new Map(
    long.flatMap(({ nodes, ends }) => {
      const own = order.filter((node) => nodes.has(node));
      const chain = chainOf(
        own,
        own.filter((node) => ends.has(node)),
      );
      return chain.ends.map((end) => [end, chain] as const);
    }),
  );
}

/** Parts of chains that are made of what is given, and of one another in one shape: whoever computes them needs nothing else before. */
function madeOfGiven(order: readonly Expression[]): ReadonlySet<Expression> {
  const given = new Set<Expression>();
  const made = new Set<Expression>();
  for (const node of order) {
    const read = operands(node);
    if (!isPart(node)) {
      if (read.every((operand) => given.has(operand))) given.add(node);
    } else if (
      read.every((operand) => given.has(operand) || (made.has(operand) && sameShape(operand.shape, node.shape)))
    ) {
      made.add(node);
    }
  }
  return made;
}

function chainOf(nodes: readonly Expression[], ends: readonly Expression[]): Chain {
  const own = new Set(nodes);
  return { ends, nodes, sources: [...new Set(nodes.flatMap(operands))].filter((node) => !own.has(node)) };
}

/** Whether each element is made of those of its place in what the node reads, by an operation that chains consist of. */
export function isOfChains({ op }: Expression): boolean {
  return ELEMENTWISE.has(op);
}

function isPart(node: Expression): boolean {
  const { shape } = node;
  return isOfChains(node) && shape.length === 2 && elementCount(shape) >= LEAST_ELEMENTS;
}
