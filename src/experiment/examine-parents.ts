/** The models of an experiment, on the Hub and in folders, looked at together before anything large is fetched. */
import { UserError } from "../errors.ts";
import type { Hub } from "../hub/api/hub.ts";
import type { Repository } from "../hub/cache/repository.ts";
import type { WantedFiles } from "../hub/transfer/plan-fetch.ts";
import { compareParents, type ParentFinding } from "./compare-parents.ts";
import { filesOfFolder, filesOnHub, type ParentFiles } from "./parent-files.ts";

/** What was found about models, and what is to be fetched of those on the Hub. */
export interface Examination {
  readonly findings: readonly ParentFinding[];
  readonly downloads: readonly WantedFiles[];
}

type Examined = ParentFiles & { readonly download?: WantedFiles };

/** Examines models, the first of which is the base; those on the Hub are given by name, any other is a folder. */
export async function examine(
  names: readonly string[],
  onHub: ReadonlyMap<string, Repository>,
  hub: Hub,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Examination> {
  const examined: (Examined | ParentFinding)[] = [];
  for (const name of new Set(names)) examined.push(await examineOne(name, onHub.get(name), hub, signal));
  const findings = await compareAll(examined, signal);
  return { findings, downloads: examined.flatMap((one) => ("download" in one ? (one.download ?? []) : [])) };
}

/** Findings about models, the first of which is the base, in their order; of some it may be known already what is wrong. */
export async function compareAll(
  models: readonly (ParentFiles | ParentFinding)[],
  signal?: AbortSignal,
): Promise<readonly ParentFinding[]> {
  const [base] = models;
  const parents = models.filter((one) => "folder" in one);
  // Without the base there is nothing to compare with, but each of the others may have faults of its own.
  const groups = base && "folder" in base ? [parents] : parents.map((parent) => [parent]);
  const findings = models.filter((one) => "about" in one);
  for (const group of groups) findings.push(...(await compareParents(group, signal)));
  const order = models.map(({ name }) => name);
  return findings.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
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
