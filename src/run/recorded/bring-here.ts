import type { Budget, Experiment } from "../../experiment/experiment.ts";
import { fetchRows, fetchSources } from "../../experiment/fetch-sources.ts";
import { namesDatasets, namesHub, resolveSources, type SourceOptions } from "../../experiment/sources.ts";
import { type Hub, openHub } from "../../hub/api/hub.ts";
import type { JournalRecord } from "../../journal/records.ts";
import type { RunEvent } from "../session/events.ts";
import { requirePlaces } from "./places.ts";
import { experimentOf } from "./recorded-run.ts";

export interface BringOptions {
  /** Told what happens and, while the run's clock is there to look at, what of its budget is spent, in milliseconds. */
  readonly onEvent?: ((event: RunEvent, elapsedMs?: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Where models and rows come from that are not on this machine; the environment's unless given. */
  readonly hub?: Hub | undefined;
}

/** An experiment with pinned revisions, and the same with folders and files of this machine in their place. */
export interface Brought {
  readonly experiment: Experiment;
  readonly local: Experiment;
}

/** Brings an experiment's models and rows to this machine. */
export async function bringHere(given: Experiment, { hub, signal, onEvent }: BringOptions): Promise<Brought> {
  // A local run needs no Hub, whatever the environment says of one.
  if (!namesHub(given)) return { experiment: given, local: given };
  const options: SourceOptions = {
    signal,
    onNotice: (text) => onEvent?.({ type: "notice", text }),
    onProgress: (progress) => onEvent?.({ type: "fetching", ...progress }),
  };
  const opened = hub ?? (await openHub());
  const sources = await resolveSources(given, opened, options);
  return { experiment: sources.experiment, local: await fetchSources(sources, opened, options) };
}

/** Brings its rows alone; models stay where they are. */
export async function bringRows(given: Experiment, { hub, signal, onEvent }: BringOptions): Promise<Experiment> {
  if (!namesDatasets(given)) return given;
  const opened = hub ?? (await openHub());
  return fetchRows(given, opened, { signal, onNotice: (text) => onEvent?.({ type: "notice", text }) });
}

/** Brings those of a recorded run, which goes on under its own budget unless another is given; a UserError says how to tell where they are when they were moved. */
export async function bringRecorded(
  folder: string,
  records: readonly JournalRecord[],
  options: BringOptions,
  budget?: Budget,
): Promise<Brought> {
  const recorded = experimentOf(folder, records);
  const experiment = budget ? { ...recorded, budget } : recorded;
  requirePlaces(folder, experiment);
  return bringHere(experiment, options);
}
