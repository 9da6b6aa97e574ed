/** At most so many of a list's items (two or more), evenly and with the first and the last of them; the same ones whenever it is asked. */
export function thinOut<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items;
  const step = (items.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, i) => items[Math.round(i * step)] as T);
}

/** Those of the items that are less than all before them. */
export function recordsBy<T>(items: readonly T[], valueOf: (item: T) => number): T[] {
  let least = Infinity;
  return items.filter((item) => {
    const isLess = valueOf(item) < least;
    if (isLess) least = valueOf(item);
    return isLess;
  });
}
