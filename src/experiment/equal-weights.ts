/** Parents with the same weights: a folder named twice, a copy, or training that saved what it began with. */
import { openCheckpoint } from "./open-checkpoint.ts";
import { haveSameWeights } from "../checkpoint/same-weights.ts";
import { UserError } from "../errors.ts";
import { BASE } from "./the-base.ts";
import { firstFault, type ParentFinding } from "./parent-finding.ts";
import type { Experiment } from "./experiment.ts";
import { filesOfFolder, type ParentFiles } from "./parent-files.ts";

/** A model with the names that an experiment gives it. */
export interface NamedParent {
  readonly labels: readonly string[];
  readonly files: ParentFiles;
}

/**
 * Which parents have the very same weights, as far as it can be told without a download: a fault where no expert has others
 * than the base, else notices. What the Hub lists of weights is compared first, then what the files hold.
 */
export async function findEqualWeights(
  parents: readonly NamedParent[],
  signal?: AbortSignal,
): Promise<readonly ParentFinding[]> {
  // The base comes first; without it here, an adapter is nothing that could be compared.
  const base = parents.find(({ labels }) => labels.includes(BASE))?.files;
  const groups: { readonly first: ParentFiles; readonly labels: string[] }[] = [];
  for (const { labels, files } of parents) {
    const group = await findAsync(groups, ({ first }) => haveSame(first, files, base, signal));
    if (group) group.labels.push(...labels);
    else groups.push({ first: files, labels: [...labels] });
  }
  const isOnlyGroup = groups.length === 1;
  return groups
    .filter(({ labels }) => labels.length > 1)
    .map(({ first: { name }, labels }) => ({ name, about: "equal", ...finding(labels, isOnlyGroup) }));
}

/** The same of the parents in the folders of an experiment. */
export async function findEqualParents(
  { base, experts }: Pick<Experiment, "base" | "experts">,
  signal?: AbortSignal,
): Promise<readonly ParentFinding[]> {
  const named = [{ name: BASE, path: base }, ...experts];
  const parents = named.map(async ({ name, path }) => ({ labels: [name], files: await filesOfFolder(path) }));
  return findEqualWeights(await Promise.all(parents), signal);
}

/** Says which parents have equal weights; a UserError where a search could find nothing. */
export async function tellEqualParents(
  experiment: Pick<Experiment, "base" | "experts">,
  options: { readonly onNotice: (text: string) => void; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const findings = await findEqualParents(experiment, options.signal);
  const fault = firstFault(findings);
  if (fault !== undefined) throw new UserError(fault);
  for (const { text } of findings) options.onNotice(text);
}

function finding(labels: readonly string[], isOnlyGroup: boolean): Pick<ParentFinding, "verdict" | "text"> {
  const experts = labels.filter((label) => label !== BASE);
  const listed = experts.length === 1 ? `the expert ${experts[0]} has` : `the experts ${listOf(experts)} have`;
  if (experts.length === labels.length)
    return { verdict: "notice", text: `${listed} the very same weights; is one of them another's copy?` };
  const equal = `${listed} the very weights of the base`;
  if (!isOnlyGroup)
    return { verdict: "notice", text: `${equal}, and can add nothing to a merge; is it the right model?` };
  return {
    verdict: "fault",
    text: `${equal}: they hold nothing that the base lacks, so that a search can find nothing; name models that were trained further`,
  };
}

async function haveSame(
  a: ParentFiles,
  b: ParentFiles,
  base: ParentFiles | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (a.folder === b.folder) return true;
  // Of adapters, the configuration decides too.
  if (!a.isAdapter && a.listedWeights !== undefined && a.listedWeights === b.listedWeights) return true;
  if (!a.isHere || !b.isHere) return false;
  const hasAdapter = a.isAdapter || b.isAdapter;
  if (hasAdapter && (!base?.isHere || base.isAdapter)) return false;
  await using first = await openCheckpoint(a.folder, { base: base?.folder });
  await using second = await openCheckpoint(b.folder, { base: base?.folder });
  return await haveSameWeights(first, second, signal);
}

async function findAsync<T>(items: readonly T[], test: (item: T) => Promise<boolean>): Promise<T | undefined> {
  for (const item of items) if (await test(item)) return item;
  return undefined;
}

function listOf(names: readonly string[]): string {
  return [names.slice(0, -1).join(", "), names.at(-1)].join(" and ");
}
