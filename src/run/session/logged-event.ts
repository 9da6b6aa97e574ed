import type { RunEnd, RunEvent } from "./events.ts";

/** JSON has no such numbers; JavaScript's `Number` and Python's `float` read these words. */
type LoggedNumber = number | "NaN" | "Infinity" | "-Infinity";

/** A value as JSON holds it, without recipes: where input columns have coefficients they are large, and the journal has them. */
type Logged<T> = T extends number
  ? LoggedNumber
  : T extends string | boolean
    ? T
    : T extends bigint | symbol | ArrayBufferView | ((...args: never) => unknown)
      ? never
      : T extends readonly unknown[]
        ? { readonly [I in keyof T]: Logged<T[I]> }
        : { readonly [Key in keyof T as Key extends "recipe" ? never : Key]: Logged<T[Key]> };

/** An event of a run, or its end, as a line of JSON holds it. */
export type LoggedEvent = {
  /** When it happened, in ISO 8601. */
  readonly time: string;
  /** Seconds of the run's budget that were spent, where its clock runs. */
  readonly elapsed?: number;
} & Logged<RunEvent | RunEnd>;

/** What is written of an event; `elapsedMs` is what the run's clock shows. */
export function loggedEvent(event: RunEvent | RunEnd, time: Date, elapsedMs?: number): LoggedEvent {
  const elapsed = elapsedMs === undefined ? {} : { elapsed: Math.round(elapsedMs) / 1000 };
  // The type stands first, by which such a line is known.
  const told = { type: event.type, ...withoutRecipes(event) };
  return { time: time.toISOString(), ...elapsed, ...(inJson(told) as Logged<RunEvent | RunEnd>) };
}

/** Every kind by name, so that a new one is looked at: whether it is as small as a line should be. */
function withoutRecipes(event: RunEvent | RunEnd): object {
  switch (event.type) {
    case "baselines":
    case "verdict":
      return { ...event, models: event.models.map((model) => ({ ...model, recipe: undefined })) };
    case "notice":
    case "fetching":
    case "merging":
    case "pushing":
    case "opened":
    case "progress":
    case "forecast":
    case "planned":
    case "generation":
    case "restarted":
    case "finalists":
    case "texts":
    case "skipped":
    case "stopped":
    case "exported":
    case "ended":
    case "failed":
      return event;
    default:
      return event satisfies never;
  }
}

function inJson(value: unknown): unknown {
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(inJson);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inJson(inner)]));
}
