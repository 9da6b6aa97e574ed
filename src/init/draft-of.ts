import { UserError } from "../errors.ts";
import type { Draft, DraftRows, DraftTask } from "./experiment-text.ts";
import type { FoundModel } from "./find-models.ts";
import type { FoundTask } from "./find-rows.ts";
import { keyFor } from "./key-for.ts";

/** What was chosen for a new experiment, or found. */
export interface Chosen {
  /** Of the experiment, unless its file tells it apart from others. */
  readonly name?: string | undefined;
  readonly base: FoundModel;
  readonly experts: readonly FoundModel[];
  /** Those that were given to the experts, in their order. */
  readonly names?: readonly (string | undefined)[] | undefined;
  readonly found: readonly FoundTask[];
  /** By task; the found ones count where there are none. */
  readonly rows: ReadonlyMap<string, DraftRows>;
  readonly guard: ReadonlyMap<string, DraftRows>;
  readonly space?: string | undefined;
  readonly budget: string;
}

/** The rows of the LLM-Merging competition. */
const COMPETITION = "AlgorithmicResearchGroup/llm_merging";

/** A whole experiment of what was chosen. */
export function draftOf({ name, base, experts, names, found, rows, guard, space, budget }: Chosen): Draft {
  const named = new Map<string, string>();
  for (const [i, { name, place }] of experts.entries()) {
    const isTaken = (key: string): boolean => key === "base" || named.has(key);
    named.set(names?.[i] ?? keyFor(name, { has: isTaken }), place);
  }
  // Adapters change no norm and no embedding.
  const areAdapters = experts.every(({ identity, folder }) => identity === undefined && folder !== "");
  return {
    name,
    base: base.place,
    experts: named,
    space: space ?? (areAdapters ? "adapters" : "task-arithmetic-tensors"),
    tasks: tasksFrom(found, rows, guard),
    budget,
  };
}

function tasksFrom(
  found: readonly FoundTask[],
  rows: ReadonlyMap<string, DraftRows>,
  guard: ReadonlyMap<string, DraftRows>,
): ReadonlyMap<string, DraftTask> {
  for (const task of guard.keys())
    if (!rows.has(task))
      throw new UserError(`--guard ${task}: expected rows to search on too, found none; give --rows ${task}=<file>`);
  if (rows.size > 0) return new Map(Array.from(rows, ([task, own]) => [task, { rows: own, guard: guard.get(task) }]));
  if (found.length === 0) {
    const configs = ["cosmos_qa", "xsum"];
    return new Map(configs.map((config) => [config, { rows: { dataset: COMPETITION, config } }]));
  }
  return new Map(
    found.map(({ name, rows: own, guard: others }) => {
      const note = `${own.count} rows${others ? `, ${others.count} for the verdict` : ""}`;
      return [name, { rows: [own.path], ...(others && { guard: [others.path] }), note }];
    }),
  );
}
