import type { Standing } from "../../journal/standing.ts";
import type { GuardedModel } from "../../journal/records.ts";
import type { ShortNames } from "./short-text.ts";

/** A model's combined losses on the search rows, by which it was found or chosen, and on the guard rows, which judge it. */
export interface SidesPoint {
  readonly name: string;
  readonly kind: GuardedModel["kind"];
  readonly search: number;
  readonly guard: number;
}

/** The models of a verdict that have met rows of both sides. */
export function sidesOf(
  { verdict, baselines, winner }: Pick<Standing, "verdict" | "baselines" | "winner">,
  names: ShortNames,
): readonly SidesPoint[] {
  const searched = new Map((baselines?.models ?? []).map(({ name, loss }) => [name, loss]));
  if (winner) searched.set(winner.name, winner.loss);
  return (verdict?.models ?? []).flatMap(({ name, kind, loss }) => {
    const search = searched.get(name) ?? Number.NaN;
    return Number.isFinite(search) && Number.isFinite(loss)
      ? [{ name: names.of(name), kind, search, guard: loss }]
      : [];
  });
}
