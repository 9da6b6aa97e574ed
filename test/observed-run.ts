import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import type { Experiment } from "../src/experiment/experiment.ts";
import type { RunEvent } from "../src/run/session/events.ts";
import { launchRun } from "../src/run/launch-run.ts";
import type { Outcome } from "../src/run/carry-on.ts";
import type { RunOptions } from "../src/run/run-options.ts";
import { type TinyExperiment, tinyExperiment } from "./tiny-experiment.ts";

/** A run and everything it told. */
export interface ObservedRun {
  readonly folder: string;
  readonly events: readonly RunEvent[];
  readonly outcome: Outcome;
}

/** Launches a run and listens to it. */
export async function launch(experiment: Experiment, folder: string, options: RunOptions = {}): Promise<ObservedRun> {
  const events: RunEvent[] = [];
  const outcome = await launchRun(experiment, folder, { ...options, onEvent: (event) => void events.push(event) });
  return { folder, events, outcome };
}

/** The default run, or that of another experiment, launched before the tests of a file, which only read it. */
export function sharedRun(tiny: TinyExperiment = {}): ObservedRun {
  let models = "";
  let run: ObservedRun | undefined;
  beforeAll(async () => {
    models = await mkdtemp(join(tmpdir(), "evomerge-"));
    run = await launch(await tinyExperiment(models, tiny), join(models, "run"));
  });
  afterAll(() => rm(models, { recursive: true, force: true }));
  const launched = (): ObservedRun => {
    if (!run) throw new Error("the shared run is launched before the tests, not while they are collected");
    return run;
  };
  return {
    get folder() {
      return launched().folder;
    },
    get events() {
      return launched().events;
    },
    get outcome() {
      return launched().outcome;
    },
  };
}

/** Launches a run that is interrupted at an event. */
export async function interrupt(
  experiment: Experiment,
  folder: string,
  at: (event: RunEvent) => boolean,
  options: RunOptions = {},
): Promise<void> {
  const interruption = new AbortController();
  const onEvent = (event: RunEvent): void => {
    if (at(event)) interruption.abort(new Error("enough"));
  };
  await expect(launchRun(experiment, folder, { ...options, onEvent, signal: interruption.signal })).rejects.toThrow(
    "enough",
  );
}

/** The events that are steps, by type. */
export function told(events: readonly RunEvent[]): string[] {
  return events.filter(({ type }) => type !== "progress").map(({ type }) => type);
}
