import { basename, resolve } from "node:path";
import type { JournalView } from "../../journal/journal.ts";
import { standingOf } from "../../journal/standing.ts";
import type { Recipe } from "../../merge/recipe.ts";
import { type BenchmarkView, benchmarkView } from "../benchmark-table.ts";
import type { Benchmark } from "../benchmarks.ts";
import { tellFront } from "../front-rows.ts";
import { judgedTasks, lossSentence } from "../loss-sentence.ts";
import { type CommandFor, installedCommand, nextSteps } from "../next-steps.ts";
import { runFacts } from "../run-facts.ts";
import { searchedSentences } from "../run-report.ts";
import { guardSentences } from "../search-sentences.ts";
import type { Table } from "../table.ts";
import { textsSentence, textsTable } from "../texts-table.ts";
import { verdictSentences, verdictTable } from "../verdict-table.ts";
import { candidatesOf, type CourseView, courseOf } from "./course-view.ts";
import { type ParameterView, parameterViews, whyNoCoefficients } from "./curves-view.ts";
import { type GainView, gainsOf } from "./gains-view.ts";
import { type ChangesView, type GuardRows, rowChanges } from "./row-changes.ts";
import { type SidesPoint, sidesOf } from "./sides-view.ts";
import { ShortNames } from "./short-text.ts";
import { type TaskPair, taskPairs } from "./task-pairs.ts";
import { type PhaseView, phaseTimes } from "./time-view.ts";

/** What a run has found so far, as plain data that JSON can hold: all that a page shows of it, and as much as it has room for. */
export interface RunView {
  readonly name: string;
  readonly winner: string | null;
  /** How it was carried out, a line a matter. */
  readonly facts: readonly string[];
  /** How it was searched, a sentence each. */
  readonly searched: readonly string[];
  readonly verdict: VerdictView | null;
  readonly course: CourseView;
  readonly pairs: readonly TaskPair[];
  readonly sides: readonly SidesPoint[];
  readonly parameters: readonly ParameterView[];
  /** Why these are none, where that has to be said. */
  readonly whyNoCoefficients: string | null;
  readonly changes: ChangesView | null;
  /** Members of the front, where tasks are objectives of their own. */
  readonly front: { readonly sentence: string; readonly table: Table } | null;
  readonly texts: { readonly sentence: string; readonly table: Table } | null;
  readonly benchmarks: readonly BenchmarkView[];
  readonly time: readonly PhaseView[];
  readonly recipe: Recipe | null;
  /** Commands that come next, and what for. */
  readonly steps: readonly (readonly [command: string, purpose: string])[];
}

/** The winner beside its baselines on the guard rows. */
export interface VerdictView {
  readonly loss: string;
  readonly table: Table;
  readonly sentences: readonly string[];
  readonly gains: readonly GainView[];
}

export interface RunViewOptions {
  readonly benchmarks?: readonly Benchmark[];
  /** Those of the verdict, or why they are not at hand. */
  readonly guardRows?: GuardRows | string;
  readonly commandFor?: CommandFor;
}

/** What there is to see of a run at any state, finished or not; a UserError where numbers of its journal are damaged. */
export function viewRun(
  folder: string,
  view: JournalView,
  { benchmarks = [], guardRows = "the rows were not read", commandFor = installedCommand }: RunViewOptions = {},
): RunView {
  const { records } = view;
  const standing = standingOf(records);
  const { winner, verdict, texts, looks, front } = standing;
  const names = new ShortNames();
  const candidates = candidatesOf(view);
  return {
    name: basename(resolve(folder)),
    winner: winner ? names.of(winner.name) : null,
    facts: runFacts(records),
    searched: searchedSentences(records),
    verdict: verdict
      ? {
          loss: lossSentence(judgedTasks(records), verdict.models[0]?.scores ?? {}),
          table: verdictTable(verdict.models, Object.keys(verdict.models[0]?.scores ?? {}), looks),
          sentences: [...guardSentences(verdict), ...verdictSentences(verdict, looks)],
          gains: gainsOf(verdict, looks, names),
        }
      : null,
    course: courseOf(candidates, standing, names),
    pairs: taskPairs(candidates, standing, names),
    sides: sidesOf(standing, names),
    parameters: winner ? parameterViews(winner.recipe, names) : [],
    whyNoCoefficients: whyNoCoefficients(standing, names),
    changes: (verdict && rowChanges(view, verdict, guardRows, names)) ?? null,
    front: front ? tellFront({ ...standing, front }) : null,
    texts: texts ? { sentence: textsSentence(texts), table: textsTable(texts) } : null,
    benchmarks: benchmarks.map((benchmark) => benchmarkView(benchmark, winner?.recipe)),
    time: phaseTimes(records),
    recipe: winner?.recipe ?? null,
    steps: nextSteps(folder, records, commandFor),
  };
}
