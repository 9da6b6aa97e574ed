/** Whether models merge, by their small files and headers. */
import { UserError } from "../errors.ts";
import { examine } from "../experiment/examine-parents.ts";
import { openModelRepository } from "../experiment/open-model-repository.ts";
import type { Hub } from "../hub/api/hub.ts";
import { parseReference } from "../hub/api/reference.ts";
import type { Repository } from "../hub/cache/repository.ts";
import type { FoundModel, UnfitModel } from "./find-models.ts";

/** Experts that merge with a base, and why others do not. */
export interface CheckedModels {
  readonly experts: readonly FoundModel[];
  readonly others: readonly UnfitModel[];
  readonly notices: readonly string[];
}

/**
 * Leaves out experts that do not merge with the base. What is wrong with the base itself, or with experts that were `given`, is a
 * UserError. Of models whose files are not on this machine nothing is said.
 */
export async function checkModels(
  base: FoundModel,
  experts: readonly FoundModel[],
  hub: Hub,
  given: boolean,
): Promise<CheckedModels> {
  // Nothing is asked of anybody.
  const cache = { ...hub, offline: true };
  const onHub = new Map<string, Repository>();
  for (const { place } of [base, ...experts]) {
    const reference = parseReference(place);
    const repository = reference && (await orNone(() => openModelRepository(cache, reference)));
    if (repository) onHub.set(place, repository);
    else if (reference) return { experts, others: [], notices: [] };
  }
  const models = { base: base.place, experts: experts.map(({ name, place }) => ({ name, path: place })) };
  const { findings } = await examine(models, onHub, cache);
  const faults = findings.filter(({ verdict }) => verdict === "fault");
  const faultOf = (model: FoundModel): string | undefined =>
    faults.find(({ name }) => name === (onHub.get(model.place)?.name ?? model.place))?.text;
  const others = experts.map((expert) => ({ expert, why: faultOf(expert) })).filter(({ why }) => why !== undefined);
  const left = experts.filter((expert) => !others.some((other) => other.expert === expert));
  const [first] = faults;
  if (first && (given || left.length === 0 || faultOf(base) !== undefined || others.length === 0))
    throw new UserError(first.text);
  return {
    experts: left,
    others: others.map(({ expert, why = "" }) => ({ place: expert.place, why })),
    notices: findings.filter(({ verdict }) => verdict === "notice").map(({ text }) => text),
  };
}

async function orNone<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
