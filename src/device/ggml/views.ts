import type { Ggml, Pointer } from "./library.ts";

/** Operations of nodes that only describe other tensors. */
const VIEWS: ReadonlySet<Pointer> = new Set(["NONE", "RESHAPE", "VIEW", "PERMUTE", "TRANSPOSE"]);

/** Whether nothing is computed for a node: it is an input, or lies where another tensor lies. */
export function isView(ggml: Ggml, node: Pointer): boolean {
  return VIEWS.has(ggml.operationOf(node));
}
