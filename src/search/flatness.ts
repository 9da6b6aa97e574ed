/** Generations in a row whose candidates do not differ after which a search is over. */
export const FLAT_GENERATIONS = 3;

/** Of a loss: what differs by less is a hundredth of the least gain that a verdict does not call small. */
export const FLAT_SPREAD = 1e-4;

/** Whether all candidates had nearly the same loss, or none had any; one alone does not tell. `reference` is an index. */
export function isFlat({
  losses,
  reference,
}: {
  readonly losses: readonly number[];
  readonly reference: number;
}): boolean {
  if (!losses.some(Number.isFinite)) return true;
  const level = Math.abs(losses[reference] ?? Number.NaN);
  return losses.length > 1 && Math.max(...losses) - Math.min(...losses) < FLAT_SPREAD * level;
}
