/** The models of an experiment, on the Hub and in folders, looked at together before anything large is fetched. */
import { UserError } from "../errors.ts";
import type { Hub } from "../hub/api/hub.ts";
import type { Repository } from "../hub/cache/repository.ts";
import type { WantedFiles } from "../hub/transfer/plan-fetch.ts";
import { compareParents } from "./compare-parents.ts";
import { firstFault, type ParentFinding } from "./parent-finding.ts";
import { findEqualWeights, type NamedParent } from "./equal-weights.ts";
import type { Experiment } from "./experiment.ts";
import { filesOfFolder, filesOnHub, type ParentFiles } from "./parent-files.ts";
import { policyOf } from "./tokenizer-policy.ts";
import { BASE } from "./the-base.ts";

/** What was found about models, and what is to be fetched of those on the Hub. */
export interface Examination {
  readonly findings: readonly ParentFinding[];
  readonly downloads: readonly WantedFiles[];
}

/** The models of an experiment by the names that it gives them. */
type Models = Pick<Experiment, "base" | "experts" | "tokenizer">;

type Examined = ParentFiles & { readonly download?: WantedFiles };

/** Examines the models of an experiment; those on the Hub are given by name, any other is a folder. */
export async function examine(
  models: Models,
  onHub: ReadonlyMap<string, Repository>,
  hub: Hub,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Examination> {
  const examined = new Map<string, Examined | ParentFinding>();
  for (const name of pathsOf(models)) examined.set(name, await examineOne(name, onHub.get(name), hub, signal));
  const findings = await compareAll(models, examined, signal);
  const downloads = Array.from(examined.values(), (one) => ("download" in one ? (one.download ?? []) : [])).flat();
  return { findings, downloads };
}

/** Every model of an experiment once, base first. */
export function pathsOf({ base, experts }: Models): ReadonlySet<string> {
  return new Set([base, ...experts.map(({ path }) => path)]);
}

/** Findings about models, in their order; of some it may be known already what is wrong. */
export async function compareAll(
  models: Models,
  examined: ReadonlyMap<string, ParentFiles | ParentFinding>,
  signal?: AbortSignal,
): Promise<readonly ParentFinding[]> {
  const base = examined.get(models.base);
  const parents = [...examined.values()].filter((one) => "folder" in one);
  // Without the base there is nothing to compare with, but each of the others may have faults of its own.
  const groups = base && "folder" in base ? [parents] : parents.map((parent) => [parent]);
  const findings = [...examined.values()].filter((one) => "about" in one);
  const policy = policyOf(models, (path) => {
    const expert = examined.get(path);
    return expert && "folder" in expert ? expert.folder : path;
  });
  for (const group of groups) findings.push(...(await compareParents(group, { policy, signal })).findings);
  if (firstFault(findings) === undefined) findings.push(...(await findEqualWeights(namedBy(models, examined), signal)));
  const order = Array.from(examined.values(), ({ name }) => name);
  return findings.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
}

function namedBy(
  { base, experts }: Models,
  examined: ReadonlyMap<string, ParentFiles | ParentFinding>,
): readonly NamedParent[] {
  return [...examined].flatMap(([path, files]): NamedParent[] => {
    const own = experts.filter((expert) => expert.path === path).map(({ name }) => name);
    return "folder" in files ? [{ labels: path === base ? [BASE, ...own] : own, files }] : [];
  });
}

/** What is wrong with a model by itself. */
export function faultOf(name: string, text: string): ParentFinding {
  return { name, about: "model", verdict: "fault", text };
}

async function examineOne(
  name: string,
  repository: Repository | undefined,
  hub: Hub,
  signal: AbortSignal | undefined,
): Promise<Examined | ParentFinding> {
  try {
    if (!repository) return await filesOfFolder(name);
    const { files, ...parent } = await filesOnHub(hub, repository, { signal });
    return { ...parent, download: { repository, files } };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return faultOf(repository?.name ?? name, error.message);
  }
}
