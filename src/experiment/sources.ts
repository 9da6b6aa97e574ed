/** The models and datasets of the Hub that an experiment names, pinned. */
import { type DatasetFiles, openDataset } from "../hub/transfer/dataset.ts";
import type { Hub } from "../hub/api/hub.ts";
import { formatReference, parseReference } from "../hub/api/reference.ts";
import type { Repository } from "../hub/cache/repository.ts";
import type { DatasetSource, Experiment, RowSource, TaskFiles } from "./experiment.ts";
import { pathsOf } from "./examine-parents.ts";
import { openModelRepository } from "./open-model-repository.ts";

export interface SourceOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told what a person should know, such as a model's new name. */
  readonly onNotice?: ((text: string) => void) | undefined;
  /** Told the bytes that are on this machine of those that are needed. */
  readonly onProgress?: ((progress: { readonly doneBytes: number; readonly totalBytes: number }) => void) | undefined;
}

/** What an experiment takes from the Hub, every revision pinned to a commit. */
export interface Sources {
  /** The experiment with pinned names; resuming from it finds the same files. */
  readonly experiment: Experiment;
  /** By pinned name. */
  readonly models: ReadonlyMap<string, Repository>;
  /** By pinned name of the dataset, configuration and split. */
  readonly datasets: ReadonlyMap<string, DatasetFiles>;
}

/** Asks the Hub, or the cache, for everything an experiment names; a UserError explains what cannot be had. */
export async function resolveSources(experiment: Experiment, hub: Hub, options: SourceOptions = {}): Promise<Sources> {
  const models = new Map<string, Repository>();
  const datasets = new Map<string, DatasetFiles>();
  const pinModel = async (model: string): Promise<string> => {
    const reference = parseReference(model);
    if (!reference) return model;
    const repository = await openModelRepository(hub, reference, options);
    if (repository.name !== reference.name) {
      options.onNotice?.(`${reference.name} is called ${repository.name} now: ${hub.endpoint}/${repository.name}`);
    }
    const pinned = formatReference({ name: repository.name, revision: repository.commit });
    models.set(pinned, repository);
    return pinned;
  };
  const pinRows = async (rows: RowSource): Promise<RowSource> => {
    if (!("dataset" in rows)) return rows;
    const found = await openDataset(hub, rows, options);
    datasets.set(keyOfRows(found.pinned), found);
    return found.pinned;
  };
  const base = await pinModel(experiment.base);
  const experts: Experiment["experts"][number][] = [];
  for (const { name, path } of experiment.experts) experts.push({ name, path: await pinModel(path) });
  const tasks: TaskFiles[] = [];
  for (const task of experiment.tasks) tasks.push(await withRowSources(task, pinRows));
  return { experiment: { ...experiment, base, experts, tasks }, models, datasets };
}

/** Whether any model or any rows of an experiment are on the Hub. */
export function namesHub(experiment: Experiment): boolean {
  return [...pathsOf(experiment)].some((model) => parseReference(model)) || namesDatasets(experiment);
}

/** Whether any rows are. */
export function namesDatasets({ tasks }: Experiment): boolean {
  return tasks.some(({ rows, guard }) => [rows, guard ?? []].some((source) => "dataset" in source));
}

/** The task with other sources of its rows. */
export async function withRowSources(
  task: TaskFiles,
  change: (rows: RowSource) => Promise<RowSource>,
): Promise<TaskFiles> {
  const { guard } = task;
  return { ...task, rows: await change(task.rows), ...(guard === undefined ? {} : { guard: await change(guard) }) };
}

/** By which rows of a dataset are told apart. */
export function keyOfRows({ dataset, config, split }: DatasetSource): string {
  return JSON.stringify([dataset, config, split]);
}
