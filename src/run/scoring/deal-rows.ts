import type { Selection } from "../../evaluate/evaluator.ts";

/** Rows dealt out like cards: every hand has its share of each task, and takes about as long as another. */
export function deal(rows: Selection, count: number): Selection[] {
  return Array.from({ length: count }, (_, hand) => {
    let next = 0;
    return mapTasks(rows, (own) => own.filter(() => next++ % count === hand));
  });
}

/** Numbers of rows, by task, from those of the rows of each hand, which lie task by task. */
export function gather(rows: Selection, hands: readonly ArrayLike<number>[]): Record<string, number[]> {
  let next = 0;
  return mapTasks(rows, (own) =>
    own.map(() => {
      const place = next++;
      return hands[place % hands.length]?.[Math.floor(place / hands.length)] ?? Number.NaN;
    }),
  );
}

export function mapTasks<Own, T>(byTask: Readonly<Record<string, Own>>, of: (own: Own) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(byTask).map(([task, own]) => [task, of(own)]));
}
