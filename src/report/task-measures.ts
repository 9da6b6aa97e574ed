import type { TaskScore } from "../journal/records.ts";

/** What is measured of a task beside its loss, by name: accuracy, where it has one, and what a plugin's task adds. */
export function measuresOf({ accuracy, metrics = {} }: TaskScore): ReadonlyMap<string, number> {
  return new Map([...(accuracy === undefined ? [] : [["accuracy", accuracy] as const]), ...Object.entries(metrics)]);
}
