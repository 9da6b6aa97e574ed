import { paddedTokens, totalTokens } from "./batch-sizes.ts";
import type { PackedBatch } from "./pack.ts";
import type { Merging } from "./stage-run.ts";

/** Share of the device that activations of all candidates may take. */
const ACTIVATIONS_SHARE = 0.4;

/** Share that the states and what else is kept for a way back may take; it only saves time, and other programs need memory too. */
const KEPT_SHARE = 0.25;

/**
 * Which candidates meet in a pass, and how many padded tokens of each at most: all where their activations, `states` times f32
 * [tokens, hidden] for each candidate, fit on the device together, and fewer where those of `largest` tokens, which are not
 * divided, would not.
 */
export function fitting(
  { device, model }: Pick<Merging, "device" | "model">,
  candidates: number,
  largest: number,
  states = 1,
): { readonly groups: readonly (readonly number[])[]; readonly tokens: number } {
  const capacity = device.memory.capacityBytes ?? Infinity;
  const tokens = (capacity * ACTIVATIONS_SHARE) / (model.hiddenSize * 4 * states);
  const together = Math.min(candidates, Math.max(1, Math.floor(tokens / largest)));
  const groups = evenParts(candidates, Math.ceil(candidates / together));
  return { groups, tokens: tokens / Math.max(...groups.map(({ length }) => length)) };
}

/** Bytes of the states of so many candidates with these batches, at the entrance of so many stages at once. */
export function statesBytes(
  { model }: Pick<Merging, "model">,
  candidates: number,
  batches: readonly PackedBatch[],
  stages: number,
): number {
  return candidates * stages * totalTokens(batches, paddedTokens) * model.hiddenSize * 4;
}

/** Bytes that may be kept for a way back, beside the states at the entrance of every stage. */
export class Room {
  /** Of the states and of what there is room for. */
  readonly wholeBytes: number;
  #bytes: number;

  constructor(bytes: number, states = 0) {
    this.#bytes = bytes - states;
    this.wholeBytes = Math.max(bytes, states);
  }

  /** What that leaves of a device for so many candidates with these batches; nothing where its memory is not known. */
  static on(
    { device, model }: Pick<Merging, "device" | "model">,
    candidates: number,
    batches: readonly PackedBatch[],
  ): Room {
    const states = statesBytes({ model }, candidates, batches, model.stages.length);
    return new Room((device.memory.capacityBytes ?? 0) * KEPT_SHARE, states);
  }

  /** Whether there was room for so many more. */
  take(bytes: number): boolean {
    if (bytes > this.#bytes) return false;
    this.#bytes -= bytes;
    return true;
  }
}

/** The numbers below `count` in `parts` runs of nearly equal length. */
export function evenParts(count: number, parts: number): number[][] {
  const numbers = [...Array(count).keys()];
  const bounds = Array.from({ length: parts + 1 }, (_, i) => Math.round((count * i) / parts));
  return bounds.slice(1).map((end, i) => numbers.slice(bounds[i], end));
}
