import type { StoredValues } from "../tensor/stored-values.ts";
import { type Disagreement, disagreementsOf } from "../tensor/disagreement.ts";
import { declarationOf } from "./declarations.ts";
import { SHARE_UNIT } from "./method.ts";
import type { Step } from "./recipe.ts";

/** Where the experts differ most at one weight, by the shares that merges asked for. */
export class Disagreements {
  readonly #known = new Map<number, Disagreement>();

  lacks(step: Step): boolean {
    const share = shareOf(step);
    return share !== undefined && !this.#known.has(share);
  }

  /** With `ahead` at all multiples of a parameter's unit, which costs as much. */
  async learn(
    steps: readonly Step[],
    base: StoredValues,
    experts: readonly StoredValues[],
    ahead: boolean,
  ): Promise<void> {
    const asked = steps.filter((step) => this.lacks(step)).flatMap((step) => shareOf(step) ?? []);
    if (asked.length === 0) return;
    const later =
      ahead && this.#known.size === 0 ? Array.from({ length: 1 / SHARE_UNIT }, (_, k) => unitsOf(k + 1)) : [];
    const shares = [...new Set([...asked, ...later])];
    const found = await disagreementsOf(base, experts, shares);
    for (const own of found) this.#known.set(own.share, own);
  }

  /** Undefined for a merge that does not ask for it. */
  of(step: Step): Disagreement | undefined {
    return this.#known.get(shareOf(step) ?? Number.NaN);
  }
}

/** A share as a multiple of the unit has one number, whatever it was computed by. */
function shareOf(step: Step): number | undefined {
  if (step.method === "passthrough") return undefined;
  const { parameters, needs } = declarationOf(step.method);
  const values = parameters.map(({ name }) => [name, Number(step.values[name]?.[0])]);
  const share = needs?.disagreement?.(Object.fromEntries(values) as Record<string, number>);
  if (share === undefined) return undefined;
  const units = Math.round(share / SHARE_UNIT);
  return Math.abs(share / SHARE_UNIT - units) < 1e-9 ? unitsOf(units) : share;
}

function unitsOf(count: number): number {
  return count / Math.round(1 / SHARE_UNIT);
}
