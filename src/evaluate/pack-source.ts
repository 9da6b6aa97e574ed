/**
 * What a model with an encoder reads beside sequences: for each the context of its row, once for all continuations, and how far
 * apart tokens are that see each other.
 * @module
 */
import type { Encoding } from "../model/architecture.ts";

/** Padded contexts, one for each sequence of a batch. */
export interface PackedSource {
  readonly length: number;
  /** [sequences * length] */
  readonly tokens: Int32Array;
  /** [sequences, length, length]: 0 where a token (row) sees another (column), else -Infinity. */
  readonly mask: Float32Array;
  /** [sequences, length of the batch, length]: the same, where the batch's tokens see those of the source. */
  readonly seen: Float32Array;
  /** Buckets of distances, [length, length], for every sequence, */
  readonly distances: Int32Array;
  /** and [sequences, length of the batch, length of the batch]. */
  readonly targetDistances: Int32Array;
}

/** The sequences that a source is packed for. */
interface Targets {
  readonly length: number;
  /** Positions of each sequence's tokens. */
  readonly positions: readonly (readonly number[])[];
}

export function packSource(
  contexts: readonly Int32Array[],
  length: number,
  targets: Targets,
  { sourceBucket, targetBucket }: Encoding,
): PackedSource {
  const sequences = contexts.length;
  const tokens = new Int32Array(sequences * length);
  const mask = new Float32Array(sequences * length * length).fill(-Infinity);
  const seen = new Float32Array(sequences * targets.length * length).fill(-Infinity);
  contexts.forEach((context, sequence) => {
    tokens.set(context, sequence * length);
    // What pads sees the same as tokens do, so that each row has something to sum.
    openColumns(mask, { first: sequence * length, rows: length, length, open: context.length });
    openColumns(seen, { first: sequence * targets.length, rows: targets.length, length, open: context.length });
  });
  return {
    length,
    tokens,
    mask,
    seen,
    distances: bucketsOf([Array.from({ length }, (_, place) => place)], length, sourceBucket),
    targetDistances: bucketsOf(targets.positions, targets.length, targetBucket),
  };
}

interface Rows {
  readonly first: number;
  readonly rows: number;
  readonly length: number;
  readonly open: number;
}

function openColumns(mask: Float32Array, { first, rows, length, open }: Rows): void {
  for (let row = first; row < first + rows; row += 1) mask.fill(0, row * length, row * length + open);
}

/** The bucket of each pair of a sequence's positions, [sequences, length, length]; 0 where there is none. */
function bucketsOf(
  positions: readonly (readonly number[])[],
  length: number,
  bucket: (distance: number) => number,
): Int32Array {
  const known = Int32Array.from({ length: 2 * length + 1 }, (_, i) => bucket(i - length));
  const buckets = new Int32Array(positions.length * length * length);
  for (const [sequence, own] of positions.entries()) {
    for (const [row, from] of own.entries()) {
      const first = (sequence * length + row) * length;
      for (const [column, to] of own.entries()) buckets[first + column] = known[to - from + length] ?? 0;
    }
  }
  return buckets;
}
