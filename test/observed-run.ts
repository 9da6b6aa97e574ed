import { expect } from "vitest";
import type { RunEvent } from "../src/run/events.ts";
import type { Experiment } from "../src/experiment/experiment-file.ts";
import { launchRun, type Outcome } from "../src/run/run-experiment.ts";

/** A run and everything it told. */
export interface ObservedRun {
  readonly folder: string;
  readonly events: readonly RunEvent[];
  readonly outcome: Outcome;
}

/** Launches a run and listens to it. */
export async function launch(experiment: Experiment, folder: string): Promise<ObservedRun> {
  const events: RunEvent[] = [];
  const outcome = await launchRun(experiment, folder, { onEvent: (event) => void events.push(event) });
  return { folder, events, outcome };
}

/** Launches a run that is interrupted at an event. */
export async function interrupt(
  experiment: Experiment,
  folder: string,
  at: (event: RunEvent) => boolean,
): Promise<void> {
  const interruption = new AbortController();
  const onEvent = (event: RunEvent): void => {
    if (at(event)) interruption.abort(new Error("enough"));
  };
  await expect(launchRun(experiment, folder, { onEvent, signal: interruption.signal })).rejects.toThrow("enough");
}

/** The events that are steps, by type. */
export function told(events: readonly RunEvent[]): string[] {
  return events.filter(({ type }) => type !== "progress").map(({ type }) => type);
}
