/** The area between some points and a reference that is worse than them, of losses in two objectives; points beyond it add nothing. */
export function hypervolume(points: readonly (readonly number[])[], [x0, y0]: readonly [number, number]): number {
  const inside = points.filter(([x, y]) => x! < x0 && y! < y0).toSorted(([a], [b]) => a! - b!);
  let area = 0;
  let height = y0;
  for (const [x, y] of inside) {
    if (!(y! < height)) continue;
    area += (x0 - x!) * (height - y!);
    height = y!;
  }
  return area;
}
