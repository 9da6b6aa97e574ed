import type { Experiment } from "../src/experiment/experiment.ts";
import { filesOf } from "../src/experiment/load-tasks.ts";
import { readRows, type TaskRow } from "../src/tasks/rows.ts";
import { stratifiedSubset } from "../src/tasks/subset.ts";
import { RandomStream } from "../src/tensor/random.ts";

/** A part of the search rows of all tasks, as a generation would draw it. */
export async function demoRows({ tasks }: Experiment, fraction: number): Promise<TaskRow[]> {
  const drawn = tasks.map(async ({ name, rows }) =>
    stratifiedSubset(await readRows(filesOf(rows)), fraction, RandomStream.of(1, name)),
  );
  return (await Promise.all(drawn)).flat();
}

/** Rows as long as those of real tasks: the contexts of `count` rows, one after another, with the answers of the last. */
export function longRows(rows: readonly TaskRow[], count: number): TaskRow[] {
  return Array.from({ length: Math.floor(rows.length / count) }, (_, i) => {
    const joined = rows.slice(i * count, (i + 1) * count);
    return { ...joined.at(-1)!, id: `long ${i}`, context: joined.map(({ context }) => context).join("\n\n") };
  });
}
