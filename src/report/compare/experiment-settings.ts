import type { Budget, Experiment } from "../../experiment/experiment.ts";
import { BASE } from "../../experiment/the-base.ts";
import { sha256Of } from "../../files/sha256.ts";
import type { JournalRecord } from "../../journal/records.ts";
import { methodName } from "../../merge/declarations.ts";
import { duration } from "../duration.ts";
import type { Table } from "../table.ts";

/** A run's experiment, where its journal has one, and what else the run was carried out with. */
export interface RecordedSettings {
  readonly experiment: Experiment | undefined;
  readonly records: readonly JournalRecord[];
}

/** In words, and what is behind them in full. */
interface RunSetting {
  readonly words: string;
  readonly whole: unknown;
}

/** Of a hash, to tell two things apart that are the same in words. */
const DIGITS = 6;

/** What differs between the experiments, a row a matter and a column a run. */
export function differencesBetween(names: readonly string[], runs: readonly RecordedSettings[]): Table {
  // Where one run has read no weights yet, only places tell whose they are.
  const isRead = runs.every(({ records }) => records.some(({ type }) => type === "parents"));
  const settings = runs.map((run) => settingsOf(run, isRead ? weightsIn(run.records) : new Map()));
  const matters = [...new Set(settings.flatMap((own) => [...own.keys()]))];
  const rows = matters.flatMap((matter) => {
    const own = settings.map((setting) => setting.get(matter));
    const wholes = new Set(own.map((setting) => JSON.stringify(setting?.whole)));
    if (wholes.size === 1) return [];
    const isTold = new Set(own.map((setting) => setting?.words)).size === wholes.size;
    return [[matter, ...own.map((setting) => cell(setting, isTold))]];
  });
  return { header: ["what differs", ...names], rows };
}

function cell(setting: RunSetting | undefined, isTold: boolean): string {
  if (!setting) return "none";
  return isTold ? setting.words : `${setting.words} (${sha256Of(JSON.stringify(setting.whole)).slice(0, DIGITS)})`;
}

function digestOf(lines: Readonly<Record<string, string>>): string {
  return sha256Of(JSON.stringify(Array.from(Object.entries(lines), (entry) => entry.join(" ")).toSorted()));
}

/** Digests of what each parent's tensors held, by the parent's name: equal weights are one model, wherever it lies. */
function weightsIn(records: readonly JournalRecord[]): ReadonlyMap<string, string> {
  const { tensors = {} } = records.findLast((record) => record.type === "parents") ?? {};
  return new Map(Object.entries(tensors).map(([name, lines]) => [name, digestOf(lines)]));
}

function settingsOf(
  { experiment, records: [start] }: RecordedSettings,
  weights: ReadonlyMap<string, string>,
): ReadonlyMap<string, RunSetting> {
  const settings = new Map<string, RunSetting>();
  const add = (matter: string, words: string, whole: unknown = words): void =>
    void settings.set(matter, { words, whole });
  if (experiment) {
    const { base, experts, space, recipes, start: beginning, tasks, search, budget, seed } = experiment;
    add("base", base, weights.get(BASE) ?? base);
    const parents = experts.map(({ name, path }) => [name, weights.get(name) ?? path]);
    add("experts", experts.map(({ name }) => name).join(", "), parents);
    add("space", spaceText(space), space);
    if (recipes) add("recipes", Object.keys(recipes).join(", "), recipes);
    if (beginning) add("begins from", beginning.run, beginning);
    for (const { name, weight, loss, format } of tasks) add(`task ${name}`, `weight ${weight}, ${format ?? loss}`);
    add("search", searchText(search), search);
    add("budget", budgetText(budget), budget);
    add("seed", String(seed));
  }
  if (start?.type !== "start") return settings;
  const rows = Object.entries(start.identity).filter(([name]) => name.startsWith("rows of "));
  for (const [name, digest] of rows) add(name, digest.slice(0, DIGITS), digest);
  for (const name of ["precision", "tokenizer"]) {
    const found = start.identity[name];
    if (found !== undefined) add(name, name === "tokenizer" ? found.slice(0, DIGITS) : found, found);
  }
  for (const name of ["engine", "evomerge"]) {
    const found = start.versions[name];
    if (found !== undefined) add(name, found);
  }
  return settings;
}

function spaceText(space: Experiment["space"]): string {
  if (space.method === "stack") return space.method;
  const { method, groups, columns } = space;
  const units = groups === "tensors" ? "every tensor" : `${groups.length} ${groups.length === 1 ? "group" : "groups"}`;
  return `${methodName(method)}, ${columns ? "input columns of " : ""}${units}`;
}

function searchText({ algorithm, population, rowFraction }: Experiment["search"]): string {
  return `${algorithm}, population ${population}, rows ${rowFraction}`;
}

function budgetText(budget: Budget): string {
  return "seconds" in budget ? duration(1000 * budget.seconds) : `${budget.evaluations} evaluations`;
}
