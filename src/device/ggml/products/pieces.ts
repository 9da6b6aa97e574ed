/** Graphs of ggml with products of a library in them. */
import type { NativeWork } from "../c-functions.ts";
import type { Ggml, Pointer } from "../library.ts";
import type { TensorStore } from "../tensor-store.ts";
import { isView } from "../views.ts";
import type { GraphProducts } from "./graph-products.ts";
import type { LibraryNode } from "./library-node.ts";

/** Nodes that ggml computes, in the graph's order, or one that a library does. */
type Piece = { readonly nodes: readonly Pointer[] } | { readonly byLibrary: LibraryNode };

/** What a graph is computed with. */
export interface PieceContext {
  readonly ggml: Ggml;
  readonly store: TensorStore;
  readonly products: GraphProducts;
  /** Where a node lies, once the graph is allocated. */
  readonly dataOf: (node: Pointer) => bigint;
  /** The computation of a graph of ggml as a whole. */
  readonly workOf: (graph: Pointer) => NativeWork;
}

/** The computation of a graph in pieces. */
export interface GraphPieces {
  /** Once the graph is allocated, and again whenever its tensors were moved. */
  readonly works: () => readonly NativeWork[];
  readonly free: () => void;
}

/** Products that are worth it are computed by the library, all else by ggml. */
export function piecesOf(graph: Pointer, { ggml, store, products, dataOf, workOf }: PieceContext): GraphPieces {
  const pieces = divide(ggml, graph, products);
  const context = store.newContext(0, ...pieces.flatMap((piece) => ("nodes" in piece ? [piece.nodes.length] : [])));
  const works = pieces.map((piece): (() => readonly NativeWork[]) => {
    if ("byLibrary" in piece) return () => piece.byLibrary.works(dataOf);
    const own = [workOf(graphOf(ggml, context, piece.nodes))];
    return () => own;
  });
  return { works: () => works.flatMap((each) => each()), free: () => void ggml.freeContext(context) };
}

function graphOf(ggml: Ggml, context: Pointer, nodes: readonly Pointer[]): Pointer {
  const graph = ggml.newGraph(context, nodes.length, false);
  for (const node of nodes) ggml.addNode(graph, node);
  return graph;
}

/**
 * GraphPieces that must be computed in their order: as the graph was allocated, a tensor may take the place of another that no
 * later node reads.
 */
function divide(ggml: Ggml, graph: Pointer, products: GraphProducts): readonly Piece[] {
  const pieces: Piece[] = [];
  let nodes: Pointer[] = [];
  for (let i = 0; i < Number(ggml.nodeCount(graph)); i += 1) {
    const node = ggml.nodeAt(graph, i);
    const byLibrary = products.of(node);
    if (byLibrary) {
      if (nodes.length > 0) pieces.push({ nodes });
      pieces.push({ byLibrary });
      nodes = [];
    } else if (!isView(ggml, node)) nodes.push(node);
  }
  return nodes.length > 0 ? [...pieces, { nodes }] : pieces;
}
