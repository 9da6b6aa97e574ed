import { keptGain } from "../tensor/kept-norm.ts";
import type { StoredValues } from "../tensor/stored-values.ts";

/** From the least magnitude to the largest. */
export type KeptRange = readonly [least: number, most: number];

/** What keeps the L1 norms of the experts' differences at one weight, by the ranges of magnitudes that merges leave of them. */
export class KeptGains {
  readonly #known = new Map<string, number>();

  lacks(ranges: readonly KeptRange[]): boolean {
    return ranges.some((range, expert) => !this.#known.has(keyOf(expert, range)));
  }

  async learn(ranges: readonly KeptRange[], base: StoredValues, experts: readonly StoredValues[]): Promise<void> {
    for (const [expert, stored] of experts.entries()) {
      const range = ranges[expert];
      if (!range || this.#known.has(keyOf(expert, range))) continue;
      this.#known.set(keyOf(expert, range), await keptGain(base, stored, range));
    }
  }

  /** In the order of the experts. */
  of(ranges: readonly KeptRange[]): readonly number[] {
    return ranges.map((range, expert) => this.#known.get(keyOf(expert, range)) ?? Number.NaN);
  }
}

function keyOf(expert: number, range: KeptRange): string {
  return [expert, ...range].join(" ");
}
