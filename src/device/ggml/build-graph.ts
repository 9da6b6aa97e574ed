import type { DeviceTensor } from "../device.ts";
import type { Expression, Node, Operation } from "../expression.ts";
import { inOrder } from "../graph.ts";
import { lowerAttention } from "./attention-node.ts";
import { blockNodes, lowerInBlocks } from "./blocks.ts";
import { type Chain, chainsOf } from "./chains.ts";
import { type FusedAttention, fusedAttentions } from "./fused-attention.ts";
import type { Ggml, Pointer } from "./library.ts";
import { type LateOperand, lateOperands } from "./late-operands.ts";
import { lower } from "./lowering.ts";
import type { GraphProducts } from "./products/graph-products.ts";
import { GraphReaders } from "./products/graph-readers.ts";
import type { ProductLibrary } from "./products/product-library.ts";
import type { LibraryNorm } from "./products/norms.ts";
import { type LibraryPlan, planForLibrary } from "./products/product-plan.ts";
import { innermostFirst, typeNumber } from "./types-and-sizes.ts";
import { isView } from "./views.ts";

/** Room for the ggml nodes that one expression expands to (a log-probability needs fifteen). */
const NODES_PER_EXPRESSION = 16;

/** What a graph is made with. */
export interface GraphContext {
  readonly ggml: Ggml;
  /** Owns the nodes, and has room for as many as the plan says. */
  readonly context: Pointer;
  readonly isCpu: boolean;
  readonly isCuda: boolean;
  /** Nodes that a library computes, where there is one. */
  readonly products: GraphProducts | undefined;
  /** Throws for a node that the device does not compute. */
  readonly refuse: (lowered: Pointer, operation: Operation) => void;
}

/** What a graph computes, and in which order. */
export interface GraphPlan {
  readonly outputs: readonly Expression[];
  readonly order: readonly Expression[];
  readonly ofLibrary: LibraryPlan;
  /** By the last node of each; the backend computes those in one. */
  readonly attentions: ReadonlyMap<Expression, FusedAttention>;
  /** By each node that they end in; those are computed in blocks. */
  readonly chains: ReadonlyMap<Expression, Chain>;
  /** By what reads each. */
  readonly late: ReadonlyMap<Expression, LateOperand>;
  /** The most nodes that the graph has. */
  readonly capacity: number;
}

/** What a device makes of a graph. */
export interface GraphDevice {
  readonly isCpu: boolean;
  readonly isCuda: boolean;
  /** What multiplies in the place of ggml, where something does. */
  readonly library: ProductLibrary | undefined;
  /** Whether the backend computes an attention in one node; none where it is not given. */
  readonly fuses?: ((attention: FusedAttention) => boolean) | undefined;
}

/** On a CPU chains of elementwise operations are computed in blocks, since its cache is larger than what starting a node takes. */
export function planGraph(
  outputs: readonly Expression[],
  { isCpu, library, fuses }: Omit<GraphDevice, "isCuda">,
): GraphPlan {
  const order = inOrder(outputs);
  const attentions = fuses ? fusedIn(order, outputs, fuses) : new Map<Expression, FusedAttention>();
  const ofLibrary = planForLibrary(order, outputs, library);
  const joined = joinedOf({ ofLibrary, attentions });
  const taken = new Set(joined.flatMap(({ inner, end }) => [...inner, end]));
  const isFree = (node: Expression): boolean => !taken.has(node);
  const chains = isCpu ? chainsOf(order, outputs, isFree) : new Map<Expression, Chain>();
  const late = isCpu ? new Map<Expression, LateOperand>() : lateOperands(order, readersOf(order, outputs));
  const inBlocks = [...new Set(chains.values())].reduce((sum, chain) => sum + blockNodes(chain), 0);
  return {
    outputs,
    order,
    ofLibrary,
    attentions,
    chains,
    late,
    capacity: (order.length + outputs.length) * NODES_PER_EXPRESSION + inBlocks,
  };
}

function fusedIn(
  order: readonly Expression[],
  outputs: readonly Expression[],
  fuses: (attention: FusedAttention) => boolean,
): ReadonlyMap<Expression, FusedAttention> {
  const found = fusedAttentions(order, readersOf(order, outputs));
  return new Map([...found].filter(([, attention]) => fuses(attention)));
}

function readersOf(order: readonly Expression[], outputs: readonly Expression[]): GraphReaders {
  return new GraphReaders(order, outputs, () => false);
}

/** Nodes that are computed together. */
function joinedOf({
  ofLibrary,
  attentions,
}: Pick<GraphPlan, "ofLibrary" | "attentions">): readonly Pick<LibraryNorm, "inner" | "end">[] {
  return [
    ...ofLibrary.finished.values(),
    ...ofLibrary.gated.values(),
    ...ofLibrary.norms.values(),
    ...attentions.values(),
  ];
}

/** A graph, and those of its nodes that are to be given memory, or a number, before it is computed. */
export interface BuiltGraph {
  readonly graph: Pointer;
  readonly inputs: ReadonlyMap<Pointer, DeviceTensor>;
  readonly constants: ReadonlyMap<Node<"constant">, Pointer>;
  /** Of each output. */
  readonly results: readonly Pointer[];
  readonly scales: ReadonlyMap<Node<"scale">, readonly Pointer[]>;
}

/** Expressions in their order as one graph of ggml. */
export function buildGraph(
  { order, outputs, ofLibrary, attentions, chains, late, capacity }: GraphPlan,
  { ggml, context, isCpu, isCuda, products, refuse }: GraphContext,
): BuiltGraph {
  const places = placesOf(outputs);
  const nodes = new Map<Expression, Pointer>();
  const inputs = new Map<Pointer, DeviceTensor>();
  const constants = new Map<Node<"constant">, Pointer>();
  const scales = new Map<Node<"scale">, Pointer[]>();
  const results: Pointer[] = [];
  const tensorOf = (node: Expression): Pointer => nodes.get(node) ?? make(node);
  const copies = { transposed: new Map<Expression, Pointer>(), halfMasks: new Map<Expression, Pointer>() };
  let number: Pointer;
  const one = (): Pointer => (number ??= ggml.arange(context, 1, 2, 1));
  const lowering = { ggml, context, tensorOf, isCpu, isCuda, one, products, ...copies, scales };
  const graph: Pointer = ggml.newGraph(context, capacity, false);
  const nodeOf = (node: Expression): Pointer => {
    const attention = attentions.get(node);
    if (attention) return lowerAttention(attention, lowering);
    const gated = ofLibrary.gated.get(node);
    if (gated && products) return products.nodeForGated(context, gated, tensorOf);
    const product = ofLibrary.finished.get(node);
    if (product && products) return products.nodeForFinished(context, product, tensorOf);
    const softmax = ofLibrary.softmaxes.get(node);
    if (softmax && products) return products.nodeForSoftmax(context, softmax, tensorOf);
    const norm = ofLibrary.norms.get(node);
    if (norm && products) return products.nodeForNorm(context, norm, tensorOf);
    if (node.op !== "input" && node.op !== "constant") return lower(node, lowering);
    const leaf = ggml.newTensor(context, typeNumber[node.dtype], 4, innermostFirst(node.shape));
    if (node.op === "input") inputs.set(leaf, node.tensor);
    else constants.set(node, leaf);
    return leaf;
  };
  const inBlocks = {
    expand: (block: Pointer): void => void ggml.expandGraph(graph, block),
    stays: (end: Expression): boolean => places.has(end),
  };
  // One by one, since ggml computes, and gives work space back, in the order in which nodes join the graph.
  const make = (node: Expression): Pointer => {
    late.get(node)?.before.forEach(tensorOf);
    const chain = chains.get(node);
    const made = chain ? lowerInBlocks(chain, lowering, inBlocks) : new Map([[node, nodeOf(node)]]);
    for (const [each, lowered] of made) {
      refuse(lowered, each.op);
      nodes.set(each, lowered);
      ggml.expandGraph(graph, lowered);
    }
    return made.get(node);
  };
  const within = new Set([
    ...[...chains.values()].flatMap((chain) => chain.nodes.filter((node) => !chain.ends.includes(node))),
    ...joinedOf({ ofLibrary, attentions }).flatMap(({ inner }) => inner),
  ]);
  const waiting = new Set(Array.from(late.values(), ({ operand }) => operand));
  for (const node of order) {
    const asked = places.get(node) ?? [];
    if (within.has(node) || waiting.has(node)) continue;
    // What only moves elements is made once something reads it: a library's product may read what it moves.
    if (asked.length === 0 && (node.op === "permute" || node.op === "reshape")) continue;
    const lowered = tensorOf(node);
    for (const [i, place] of asked.entries()) {
      // An output is computed where it stays, unless it lies where another tensor does, or is asked for twice.
      const isElsewhere = i > 0 || (isView(ggml, lowered) && !chains.has(node));
      results[place] = isElsewhere ? ggml.cont(context, lowered) : lowered;
      // GPUs' backends do not store what they compute together with its only reader, unless it is an output.
      ggml.setOutput(results[place]);
      ggml.expandGraph(graph, results[place]);
    }
  }
  return { graph, inputs, constants, results, scales };
}

/** At which places each output is asked for. */
function placesOf(outputs: readonly Expression[]): ReadonlyMap<Expression, readonly number[]> {
  const places = new Map<Expression, number[]>();
  for (const [place, output] of outputs.entries()) places.set(output, [...(places.get(output) ?? []), place]);
  return places;
}
