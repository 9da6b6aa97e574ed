/** Which of the places that a batch's sequences have are tokens of their own, and which only make sequences equally long. */
import { wholeVectors } from "./batch-layout.ts";
import type { PackedBatch } from "./pack.ts";

/** Of the places, that may be padding and computed all the same: as much as bringing tokens to their places and back costs. */
const LITTLE = 0.05;

export interface PlacedTokens {
  /** The place of each token: first those that are wanted, in their order, then some that make whole vectors. */
  readonly placeOf: Int32Array;
  /** The token at each place; absent where each place has its own, in their order. */
  readonly tokenAt?: Int32Array;
}

/** How many tokens there are where so many of the places are wanted. */
export function placedTokens(wanted: number, places: number): number {
  const tokens = wholeVectors(wanted + 1);
  return tokens > (1 - LITTLE) * places ? places : tokens;
}

/**
 * Tokens at the `wanted` of so many places, in whole vectors: derivatives by weights sum over them, and one row alone is multiplied
 * by another kernel of ggml's than several, whose sums round otherwise. At all other places is one that is not wanted, of which
 * nothing is read.
 */
export function placeTokens(wanted: readonly number[], places: number): PlacedTokens {
  const tokens = placedTokens(wanted.length, places);
  if (tokens === places) return { placeOf: Int32Array.from({ length: places }, (_, place) => place) };
  const taken = new Set(wanted);
  const free: number[] = [];
  for (let place = 0; free.length < tokens - wanted.length; place += 1) if (!taken.has(place)) free.push(place);
  const placeOf = Int32Array.from([...wanted, ...free]);
  const tokenAt = new Int32Array(places).fill(wanted.length);
  for (const [token, place] of placeOf.entries()) tokenAt[place] = token;
  return { placeOf, tokenAt };
}

/** The places of a batch's sequences that are no padding. */
export function placesOfTokens({ counts, length }: Pick<PackedBatch, "counts" | "length">): number[] {
  return counts.flatMap((count, sequence) => Array.from({ length: count }, (_, i) => sequence * length + i));
}

/** What of a batch is read: sequences of their own, each of what is read of one of the batch. */
export interface PlacedReads extends PlacedTokens {
  readonly length: number;
  /** The place in the batch of each place; of padding that of the last one of its sequence which is read. */
  readonly places: Int32Array;
}

/** Of each sequence of a batch something is read. */
export function placeReads({ sequences, length, targets }: PackedBatch): PlacedReads {
  const bySequence = Array.from({ length: sequences }, (): number[] => []);
  for (const place of new Set(targets.map(({ row }) => row))) bySequence[Math.floor(place / length)]!.push(place);
  const own = wholeVectors(Math.max(...bySequence.map((reads) => reads.length)));
  const wanted = bySequence.flatMap((reads, sequence) => reads.map((_, i) => sequence * own + i));
  const places = bySequence.flatMap((reads) => Array.from({ length: own }, (_, i) => reads[i] ?? reads.at(-1)!));
  return { ...placeTokens(wanted, sequences * own), length: own, places: Int32Array.from(places) };
}
