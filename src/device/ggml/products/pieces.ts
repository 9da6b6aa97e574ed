/** Graphs of ggml with products of a library in them. */
import type { Ggml, Pointer } from "../library.ts";
import type { TensorStore } from "../tensor-store.ts";
import { isView } from "../views.ts";
import type { GraphProducts } from "./graph-products.ts";
import type { LibraryCall } from "./product-plan.ts";

/** Nodes that ggml computes, in the graph's order, or the calls of a library for a node that it computes. */
type Piece = { readonly nodes: readonly Pointer[] } | { readonly calls: readonly LibraryCall[] };

/** What a graph is computed with. */
export interface PieceContext {
  readonly ggml: Ggml;
  readonly store: TensorStore;
  readonly products: GraphProducts;
  /** Computes a graph of ggml as a whole. */
  readonly compute: (graph: Pointer) => Promise<void>;
}

/** Computes an allocated graph: products that are worth it by the library, all else by ggml. */
export async function computeWithLibrary(
  graph: Pointer,
  { ggml, store, products, compute }: PieceContext,
): Promise<void> {
  const pieces = divide(ggml, graph, products);
  if (!pieces.some((piece) => "calls" in piece)) return compute(graph);
  const context = store.newContext(0, ...pieces.flatMap((piece) => ("nodes" in piece ? [piece.nodes.length] : [])));
  try {
    for (const piece of pieces) {
      if ("nodes" in piece) await compute(graphOf(ggml, context, piece.nodes));
      else for (const call of piece.calls) await call();
    }
  } finally {
    ggml.freeContext(context);
  }
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
      pieces.push({ calls: own });
      nodes = [];
    } else if (!isView(ggml, node)) nodes.push(node);
  }
  return nodes.length > 0 ? [...pieces, { nodes }] : pieces;
}
