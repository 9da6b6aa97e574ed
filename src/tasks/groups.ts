import { type Heading, headingsOf, passageOf } from "./passages.ts";
import { passageHash, type TaskRow } from "./rows.ts";

/** Rows as one task has them, and how messages name their file. */
interface Rows {
  readonly file: string;
  readonly rows: readonly TaskRow[];
}

/**
 * The groups of all tasks' rows: that which a row names, else its passage, in which an instruction that most rows of a task
 * begin with has no part (told to `onNotice`). Rows that say the very same are of one group, and so are the rows of the
 * groups that they name. It depends on the rows, not on their order.
 */
export function groupsOf(tasks: readonly Rows[], onNotice?: (text: string) => void): (row: TaskRow) => string {
  const headings = tasks.flatMap(({ file, rows }) => {
    const own = headingsOf(rows.filter((row) => !isNamed(row)));
    if (own[0]) onNotice?.(headingText(file, own[0]));
    return own.map(({ line }) => line);
  });
  // Without headings a row has been seen as it is.
  const groupOf = (row: TaskRow): string =>
    headings.length === 0 || isNamed(row) ? row.group : passageHash(passageOf(row, headings));
  const rootOf = joinSame(tasks, groupOf);
  return (row) => rootOf(groupOf(row));
}

function isNamed({ group, passage }: TaskRow): boolean {
  return group !== passage;
}

function headingText(file: string, { line, rows, outOf }: Heading): string {
  const shown = JSON.stringify(line.length > 60 ? `${line.slice(0, 57)}...` : line);
  return `${file}: ${rows} of ${outOf} rows begin with ${shown}, which is taken for an instruction and not for what they are about; where they are about one thing, say so in a column group`;
}

/** Joins groups that have a row in common: returns the least of those that are one. */
function joinSame(tasks: readonly Rows[], groupOf: (row: TaskRow) => string): (group: string) => string {
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
  const groups = new Map<string, string>();
  for (const row of tasks.flatMap(({ rows }) => rows)) {
    const [group, same] = [groupOf(row), groups.get(row.id)];
    if (same === undefined) groups.set(row.id, group);
    const [least = group, other = group] = [rootOf(group), rootOf(same ?? group)].toSorted();
    if (least !== other) parents.set(other, least);
  }
  return rootOf;
}
