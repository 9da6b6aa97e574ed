/** What experiments take from the Hub, planned and brought to this machine. */
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { snapshotFolder } from "../hub/cache/cache.ts";
import { fetchFiles } from "../hub/transfer/fetch-files.ts";
import type { Hub } from "../hub/api/hub.ts";
import { neededFiles } from "../hub/transfer/needed-files.ts";
import { checkDisk, type FetchPlan, planFetch, type WantedFiles } from "../hub/transfer/plan-fetch.ts";
import type { Repository } from "../hub/cache/repository.ts";
import type { DatasetSource, Experiment, RowSource, TaskFiles } from "./experiment.ts";
import { firstFault, type ParentFinding } from "./parent-finding.ts";
import { examine } from "./examine-parents.ts";
import { keyOfRows, resolveSources, type SourceOptions, type Sources, withRowSources } from "./sources.ts";
import { standIn } from "./stand-in.ts";

/** What fetching would bring: bytes by repository, what is here already, what the disk has left. */
export function planSources(sources: Sources, hub: Hub): Promise<FetchPlan> {
  return planFetch(hub, downloadsOf(sources));
}

/**
 * Brings everything to this machine and returns the experiment with folders and files in place of Hub names. Models that
 * cannot be scored or merged, and a disk that is too small, are UserErrors before any weight is fetched.
 */
export async function fetchSources(sources: Sources, hub: Hub, options: SourceOptions = {}): Promise<Experiment> {
  const { experiment, models, datasets } = sources;
  const { findings, downloads } = await examine(experiment, models, hub, options);
  const fault = firstFault(findings);
  if (fault !== undefined) throw new UserError(fault);
  // Which weights are equal is certain only when all are here.
  for (const { about, text } of findings) if (about !== "equal") options.onNotice?.(text);
  await fetchAll([...downloads, ...fromDatasets(datasets)], hub, options);
  return withFiles(sources, hub, (repository) => snapshotFolder(hub, repository));
}

/**
 * The same without the weights, for whoever reads headers alone: a folder stands for each model whose weights are not here, in
 * `folder`, which is the caller's to remove. Rows and small files are fetched.
 */
export async function standInSources(
  sources: Sources,
  hub: Hub,
  folder: string,
  options: SourceOptions = {},
): Promise<Experiment> {
  const { experiment, models, datasets } = sources;
  const fault = firstFault((await examine(experiment, models, hub, options)).findings);
  if (fault !== undefined) throw new UserError(fault);
  await fetchAll([...fromDatasets(datasets)], hub, options);
  const folders = new Map<Repository, string>();
  for (const repository of models.values()) {
    const own = join(folder, String(folders.size));
    folders.set(repository, await standIn(hub, repository, { ...options, folder: own }));
  }
  return withFiles(sources, hub, (repository) => folders.get(repository) ?? snapshotFolder(hub, repository));
}

/** Brings the rows alone, and returns the experiment with their files; models keep their names. */
export async function fetchRows(given: Experiment, hub: Hub, options: SourceOptions = {}): Promise<Experiment> {
  const { base, experts } = given;
  const sources = await resolveSources({ ...given, base: "", experts: [] }, hub, options);
  await fetchAll([...fromDatasets(sources.datasets)], hub, options);
  return { ...(await withFiles(sources, hub, (repository) => snapshotFolder(hub, repository))), base, experts };
}

/** The experiment with folders and files in place of Hub names. */
async function withFiles(
  { experiment, models, datasets }: Sources,
  hub: Hub,
  folderOf: (repository: Repository) => string,
): Promise<Experiment> {
  const model = (name: string): string => {
    const repository = models.get(name);
    return repository ? folderOf(repository) : name;
  };
  const rows = async (source: RowSource): Promise<RowSource> => {
    if (!("dataset" in source)) return source;
    const { repository, files } = datasets.get(keyOfRows(source)) ?? unresolved(source);
    return files.map(({ path }) => join(snapshotFolder(hub, repository), path));
  };
  const tasks: TaskFiles[] = [];
  for (const task of experiment.tasks) tasks.push(await withRowSources(task, rows));
  return {
    ...experiment,
    base: model(experiment.base),
    experts: experiment.experts.map(({ name, path }) => ({ name, path: model(path) })),
    tasks,
  };
}

/** What the files of an experiment's models tell of them, be they on the Hub or in folders; fetches small files only. */
export async function examineParents(
  { experiment, models }: Sources,
  hub: Hub,
  options: SourceOptions = {},
): Promise<readonly ParentFinding[]> {
  return (await examine(experiment, models, hub, options)).findings;
}

/** As far as it is known before any small file is here. */
function downloadsOf({ models, datasets }: Sources): WantedFiles[] {
  const fromModels = Array.from(models.values()).flatMap((repository) => filesOf(repository));
  return [...fromModels, ...fromDatasets(datasets)];
}

/** One for each dataset, of which tasks may take several splits or the same. */
function fromDatasets(datasets: Sources["datasets"]): Iterable<WantedFiles> {
  const downloads = new Map<string, WantedFiles>();
  for (const { repository, files, pinned } of datasets.values()) {
    const others = downloads.get(pinned.dataset)?.files ?? [];
    const paths = new Set(others.map(({ path }) => path));
    const fresh = files.filter(({ path }) => !paths.has(path));
    downloads.set(pinned.dataset, { repository, files: [...others, ...fresh] });
  }
  return downloads.values();
}

/** None of a model without files that can be read, which is explained where it is examined. */
function filesOf(repository: Repository): WantedFiles[] {
  try {
    return [{ repository, files: neededFiles(repository, "all") }];
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}

/** One repository after another, the files of each in parallel. */
async function fetchAll(
  downloads: readonly WantedFiles[],
  hub: Hub,
  { signal, onProgress }: SourceOptions,
): Promise<void> {
  const plan = await planFetch(hub, downloads);
  checkDisk(plan);
  // What is here already counts from the start, also of repositories whose turn is later.
  const done = plan.repositories.map(({ presentBytes }) => presentBytes);
  for (const [i, { repository, files }] of downloads.entries()) {
    await fetchFiles(hub, repository, files, {
      signal,
      onProgress: ({ doneBytes }) => {
        done[i] = Math.max(done[i] ?? 0, doneBytes);
        onProgress?.({ doneBytes: sum(done), totalBytes: plan.bytes });
      },
    });
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function unresolved({ dataset }: DatasetSource): never {
  throw new Error(`sources: ${dataset} was not resolved`);
}
