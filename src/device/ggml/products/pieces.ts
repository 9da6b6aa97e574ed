/** Graphs of ggml with products of a library in them. */
import type { NativeWork } from "../c-functions.ts";
import type { Ggml, Pointer } from "../library.ts";
import type { TensorStore } from "../tensor-store.ts";
import { isView } from "../views.ts";
import type { GraphProducts } from "./graph-products.ts";

/** Nodes that ggml computes, in the graph's order, or what a library does for a node that it computes. */
type Piece = { readonly nodes: readonly Pointer[] } | { readonly works: readonly NativeWork[] };

/** What a graph is computed with. */
export interface PieceContext {
  readonly ggml: Ggml;
  readonly store: TensorStore;
  readonly products: GraphProducts;
  /** The computation of a graph of ggml as a whole. */
  readonly workOf: (graph: Pointer) => NativeWork;
}

/** The computation of an allocated graph: products that are worth it by the library, all else by ggml. */
export function worksOf(graph: Pointer, { ggml, store, products, workOf }: PieceContext): readonly NativeWork[] {
  const pieces = divide(ggml, graph, products);
  const context = store.newContext(0, ...pieces.flatMap((piece) => ("nodes" in piece ? [piece.nodes.length] : [])));
  const own = pieces.flatMap((piece) =>
    "works" in piece ? piece.works : [workOf(graphOf(ggml, context, piece.nodes))],
  );
  // Freed behind the others, as all works are when they are over.
  return [...own, { calls: [], free: () => void ggml.freeContext(context) }];
}

function graphOf(ggml: Ggml, context: Pointer, nodes: readonly Pointer[]): Pointer {
  const graph = ggml.newGraph(context, nodes.length, false);
  for (const node of nodes) ggml.addNode(graph, node);
  return graph;
}

/**
 * Pieces that must be computed in their order: as the graph was allocated, a tensor may take the place of another that no
 * later node reads.
 */
function divide(ggml: Ggml, graph: Pointer, products: GraphProducts): readonly Piece[] {
  const pieces: Piece[] = [];
  let nodes: Pointer[] = [];
  for (let i = 0; i < Number(ggml.nodeCount(graph)); i += 1) {
    const node = ggml.nodeAt(graph, i);
    const own = products.of(node);
    if (own) {
      if (nodes.length > 0) pieces.push({ nodes });
      pieces.push({ works: own });
      nodes = [];
    } else if (!isView(ggml, node)) nodes.push(node);
  }
  return nodes.length > 0 ? [...pieces, { nodes }] : pieces;
}
