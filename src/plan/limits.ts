/** Which limit of the machine or the budget binds a search, and what would relax it. */
import { bytesText } from "../files/bytes-text.ts";
import { budgetOption, duration } from "../report/duration.ts";
import type { RunPlan } from "./run-plan.ts";

/** What ends a search first, or keeps it from beginning. */
export type Limit = "memory" | "disk" | "time" | "evaluations";

export interface Binding {
  readonly limit: Limit;
  /** Sentences for people: what is short, and what would relax it. */
  readonly why: string;
  readonly relief: string;
}

/** Limits that are met, the one that binds first in front. */
export function bindings(plan: Omit<RunPlan, "limits">): readonly Binding[] {
  return [memoryLimit(plan), disk(plan), time(plan), parents(plan)].filter((one) => one !== undefined);
}

function memoryLimit({
  memory: { devicePeakBytes, deviceFreeBytes, hostPeakBytes, hostFreeBytes },
}: Shown): Binding | undefined {
  if (deviceFreeBytes !== undefined && devicePeakBytes > deviceFreeBytes)
    return needs("the device's", devicePeakBytes, deviceFreeBytes);
  return hostPeakBytes > hostFreeBytes ? needs("the host's", hostPeakBytes, hostFreeBytes) : undefined;
}

function needs(what: string, peak: number, free: number): Binding {
  return {
    limit: "memory",
    why: `The run needs ${bytesText(peak)} of ${what} memory, of which ${bytesText(free)} are free.`,
    relief: "Free some, or lower search.population or search.rowFraction, so that fewer activations are there at once.",
  };
}

type Shown = Omit<RunPlan, "limits">;

function disk({ disk: { neededBytes, freeBytes, folder } }: Shown): Binding | undefined {
  if (neededBytes <= freeBytes) return undefined;
  return {
    limit: "disk",
    why: `The run, its export and what it fetches need ${bytesText(neededBytes)} at ${folder}, where ${bytesText(freeBytes)} are free.`,
    relief: "Make room there, or keep the run on a larger disk with --out.",
  };
}

function time({ budget, expected: { wholeMs, generations, isSmall }, evaluations }: Shown): Binding {
  if ("evaluations" in budget)
    return {
      limit: "evaluations",
      why: `The budget of ${budget.evaluations} evaluations ends the search after ${generations} generations.`,
      relief: `More of them, or a time: ${budgetOption(wholeMs)} has room for everything.`,
    };
  return {
    limit: "time",
    why: `The budget of ${duration(1000 * budget.seconds)} ends the search after about ${generations} generations, ${evaluations} evaluations.`,
    relief: isSmall
      ? `${budgetOption(wholeMs)} has room for everything.`
      : "It has room for everything; more time lets each generation meet more rows.",
  };
}

function parents({ memory: { parentsStay, parentsBytes, deviceFreeBytes }, generation }: Shown): Binding | undefined {
  if (parentsStay || generation.readingMs < generation.ms / 10) return undefined;
  const found = deviceFreeBytes === undefined ? "" : `, of which ${bytesText(deviceFreeBytes)} are free,`;
  return {
    limit: "memory",
    why: `Parents of ${bytesText(parentsBytes)} do not stay in the device's memory${found} and are read in every generation.`,
    relief: `With more of it free they would stay: a generation would take ${duration(generation.ms - generation.readingMs)}.`,
  };
}
