/**
 * Weights of several objectives that are spread evenly (Das & Dennis 1998, doi:10.1137/S1052623496307510): first the given shares, then each
 * point of a lattice of the simplex, times the shares. The ends of the lattice, which count one objective alone, are among them;
 * it is as fine as `most` weighings allow, but has the ends in any case. Weights of each sum to 1.
 */
export function weighingsOf(shares: readonly number[], most: number): readonly (readonly number[])[] {
  const withLattice = (parts: number): number[][] => [
    shares.map(() => 1),
    ...latticeOf(shares.length, parts).filter((point) => !isEven(point)),
  ];
  let parts = 1;
  while (shares.length > 1 && withLattice(parts + 1).length <= most) parts += 1;
  return withLattice(parts).map((point) => normalised(point.map((value, i) => value * shares[i]!)));
}

/** How many weighings so many objectives have, of which there are to be at most `most`: unless given, five of two objectives, seven of three. */
export function countWeighings(objectives: number, most = 2 * objectives + 1): number {
  return weighingsOf(
    Array.from({ length: objectives }, () => 1),
    most,
  ).length;
}

/** All ways of writing a whole number as a sum of so many, in order. */
function latticeOf(objectives: number, parts: number): number[][] {
  if (objectives === 1) return [[parts]];
  return Array.from({ length: parts + 1 }, (_, rest) => parts - rest).flatMap((first) =>
    latticeOf(objectives - 1, parts - first).map((others) => [first, ...others]),
  );
}

function isEven(point: readonly number[]): boolean {
  return point.every((value) => value === point[0]);
}

function normalised(values: readonly number[]): number[] {
  const sum = values.reduce((all, value) => all + value, 0);
  return values.map((value) => value / sum);
}
