import { type Document, isAlias, isMap, isSeq, type Node, type Pair } from "yaml";

/**
 * Offset in the source text of what lies at `path`: the value, or the key that names it. Where the path leaves the
 * document (a missing key), the offset of the innermost mapping or list that is there.
 */
export function offsetAt(document: Document.Parsed, path: readonly PropertyKey[], part: "key" | "value"): number {
  let node: Node | null = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [depth, segment] of path.entries()) {
    const container: Node | null | undefined = isAlias(node) ? node.resolve(document) : node;
    const isLast = depth === path.length - 1;
    if (isMap<Node, Node | null>(container)) {
      const pair: Pair<Node, Node | null> | undefined = container.items.find(({ key }) => String(key) === segment);
      if (pair === undefined) break;
      node = pair.value;
      offset = (isLast && part === "key" ? undefined : startOf(node)) ?? startOf(pair.key) ?? offset;
    } else if (isSeq<Node>(container) && typeof segment === "number") {
      node = container.items[segment] ?? null;
      offset = startOf(node) ?? offset;
    } else {
      break;
    }
  }
  return offset;
}

function startOf(node: Node | null): number | undefined {
  return node?.range?.[0];
}
