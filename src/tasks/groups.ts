import type { TaskRow } from "./rows.ts";

/**
 * Rows that share a group or a passage, directly or through rows between them, belong together: returns the one group
 * that they all have from here on, by the groups of the rows. It depends on the rows, not on their order.
 */
export function joinedGroups(rows: Iterable<TaskRow>): (row: TaskRow) => string {
  const parents = new Map<string, string>();
  const rootOf = (key: string): string => {
    let root = key;
    for (let next = parents.get(root); next !== undefined; next = parents.get(root)) root = next;
    // Whoever asks again finds the root at once, however long the chain was.
    for (let at = key; at !== root;) {
      const next = parents.get(at) ?? root;
      parents.set(at, root);
      at = next;
    }
    return root;
  };
  for (const { group, passage } of rows) {
    const [least, other] = [rootOf(group), rootOf(passage)].toSorted();
    if (least !== undefined && other !== undefined && least !== other) parents.set(other, least);
  }
  return ({ group }) => rootOf(group);
}
