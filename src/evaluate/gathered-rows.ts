/**
 * Which rows of an embedding a pass reads where its parents do not all stay on the device. The tokens of its batches are then
 * numbered among these rows; what is computed of them is the same to the bit.
 * @module
 */
import type { Model } from "../model/architecture.ts";
import type { PackedBatch } from "./pack.ts";
import type { ParentWeights } from "./parent-weights.ts";
import type { Route, RowsRead } from "./route.ts";

interface Gathering {
  readonly parents: Pick<ParentWeights, "gatheredOn">;
  readonly model: Pick<Model, "vocabularySize">;
}

/** The rows of its tokens; undefined of a pass that reads whole weights. */
export function rowsReadBy(
  { parents, model }: Gathering,
  route: Route,
  packed: readonly PackedBatch[],
): RowsRead | undefined {
  const names = parents.gatheredOn(route);
  const tokens = packed.flatMap(({ tokens: own, source }) => (source ? [own, source.tokens] : [own]));
  // A table of which as many rows are taken as it has is merged as a whole (`rowsFirst`), and its derivatives sum otherwise.
  const isWhole = tokens.reduce((sum, { length }) => sum + length, 0) >= model.vocabularySize;
  if (names.size === 0 || isWhole) return undefined;
  return { names, rows: Int32Array.from(new Set(tokens.flatMap((own) => [...own]))).toSorted() };
}

/** Batches whose tokens are places among the rows that are read. */
export function numberedAmong(rows: Int32Array, packed: readonly PackedBatch[]): PackedBatch[] {
  const places = new Map(Array.from(rows, (row, place) => [row, place]));
  const numbered = (tokens: Int32Array): Int32Array => tokens.map((token) => places.get(token)!);
  return packed.map(({ tokens, source, ...batch }) => ({
    ...batch,
    tokens: numbered(tokens),
    ...(source && { source: { ...source, tokens: numbered(source.tokens) } }),
  }));
}
