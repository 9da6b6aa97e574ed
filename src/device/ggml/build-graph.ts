import type { DeviceTensor } from "../device.ts";
import type { Expression, Node, Operation } from "../expression.ts";
import { inOrder } from "../graph.ts";
import { blockNodes, chainsOf, lowerInBlocks, type Chain } from "./blocks.ts";
import type { Ggml, Pointer } from "./library.ts";
import { lower } from "./lowering.ts";
import type { GraphProducts } from "./products/graph-products.ts";
import type { ProductLibrary } from "./products/product-library.ts";
import { type LibraryPlan, planForLibrary } from "./products/product-plan.ts";
import type { TensorStore } from "./tensor-store.ts";
import { isView } from "./views.ts";

/** Room for the ggml nodes that one expression expands to (a log-probability needs fifteen). */
const NODES_PER_EXPRESSION = 16;

/** What a graph is made with. */
export interface GraphContext {
  readonly ggml: Ggml;
  /** Owns the nodes, and has room for as many as the plan says. */
  readonly context: Pointer;
  readonly store: TensorStore;
  readonly isCpu: boolean;
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
  /** By the last node of each; those are computed in blocks. */
  readonly chains: ReadonlyMap<Expression, Chain>;
  /** The most nodes that the graph has. */
  readonly capacity: number;
}

/** On a CPU chains of elementwise operations are computed in blocks, since its cache is larger than what starting a node takes. */
export function planGraph(
  outputs: readonly Expression[],
  { isCpu, library }: { readonly isCpu: boolean; readonly library: ProductLibrary | undefined },
): GraphPlan {
  const order = inOrder(outputs);
  const ofLibrary = planForLibrary(order, outputs, library);
  const byLibrary = new Set([...ofLibrary.finished.values()].flatMap(({ inner, end }) => [...inner, end]));
  const isFree = (node: Expression): boolean => !byLibrary.has(node);
  const chains = isCpu ? chainsOf(order, outputs, isFree) : new Map<Expression, Chain>();
  const inBlocks = [...chains.values()].reduce((sum, chain) => sum + blockNodes(chain), 0);
  return {
    outputs,
    order,
    ofLibrary,
    chains,
    capacity: (order.length + outputs.length) * NODES_PER_EXPRESSION + inBlocks,
  };
}

/** A graph and its stored tensors, which are the caller's to free. */
export interface BuiltGraph {
  readonly graph: Pointer;
  /** What it computes, for each output. */
  readonly results: DeviceTensor[];
  /** What it reads and came with the expressions. */
  readonly constants: DeviceTensor[];
}

/** Expressions in their order as one graph of ggml. */
export function buildGraph(
  { order, outputs, ofLibrary, chains, capacity }: GraphPlan,
  { ggml, context, store, isCpu, products, refuse }: GraphContext,
): BuiltGraph {
  const places = placesOf(outputs);
  const nodes = new Map<Expression, Pointer>();
  const tensorOf = (node: Expression): Pointer => nodes.get(node) ?? make(node);
  const lowering = { ggml, context, tensorOf, isCpu, products, transposed: new Map<Expression, Pointer>() };
  const graph: Pointer = ggml.newGraph(context, capacity, false);
  const results = new Map<number, DeviceTensor>();
  const constants: DeviceTensor[] = [];
  const nodeOf = (node: Expression): Pointer => {
    if (node.op === "input") return store.nodeOf(context, node.tensor);
    const product = ofLibrary.finished.get(node);
    if (product && products) return products.nodeForFinished(context, product, tensorOf);
    const softmax = ofLibrary.softmaxes.get(node);
    if (softmax && products) return products.nodeForSoftmax(context, softmax, tensorOf);
    if (node.op !== "constant") return lower(node, lowering);
    const [tensor, lowered] = storeConstant(node, { ggml, context, store });
    constants.push(tensor);
    return lowered;
  };
  // One by one, since ggml computes, and gives work space back, in the order in which nodes join the graph.
  const make = (node: Expression): Pointer => {
    const chain = chains.get(node);
    const lowered = chain
      ? lowerInBlocks(chain, lowering, {
          expand: (block) => void ggml.expandGraph(graph, block),
          stays: places.has(node),
        })
      : nodeOf(node);
    refuse(lowered, node.op);
    nodes.set(node, lowered);
    ggml.expandGraph(graph, lowered);
    return lowered;
  };
  const within = new Set([
    ...[...chains.values()].flatMap(({ nodes }) => nodes.slice(0, -1)),
    ...[...ofLibrary.finished.values()].flatMap(({ inner }) => inner),
  ]);
  try {
    for (const node of order) {
      const asked = places.get(node) ?? [];
      if (within.has(node)) continue;
      // What only moves elements is made once something reads it: a library's product may read what it moves.
      if (asked.length === 0 && (node.op === "permute" || node.op === "reshape")) continue;
      const lowered = tensorOf(node);
      // An output is computed where it stays, unless it lies where another tensor does, or is asked for twice.
      const staying = asked.map((_, i) =>
        i > 0 || (isView(ggml, lowered) && !chains.has(node)) ? ggml.cont(context, lowered) : lowered,
      );
      for (const each of staying) ggml.expandGraph(graph, each);
      for (const [i, place] of asked.entries()) {
        const tensor: DeviceTensor = { dtype: node.dtype, shape: node.shape };
        store.store(tensor, staying[i]);
        results.set(place, tensor);
      }
    }
  } catch (error) {
    for (const tensor of [...results.values(), ...constants]) store.free(tensor);
    throw error;
  }
  return { graph, results: outputs.flatMap((_, place) => results.get(place) ?? []), constants };
}

function storeConstant(
  { values, shape }: Node<"constant">,
  { ggml, context, store }: Pick<GraphContext, "ggml" | "context" | "store">,
): [DeviceTensor, Pointer] {
  const tensor: DeviceTensor = { dtype: "f32", shape };
  const node = store.newNode(context, tensor);
  store.store(tensor, node);
  if (values.length > 0) ggml.setTensor(node, new Uint8Array(values.slice().buffer), 0, values.byteLength);
  return [tensor, node];
}

/** At which places each output is asked for. */
function placesOf(outputs: readonly Expression[]): ReadonlyMap<Expression, readonly number[]> {
  const places = new Map<Expression, number[]>();
  for (const [place, output] of outputs.entries()) places.set(output, [...(places.get(output) ?? []), place]);
  return places;
}
