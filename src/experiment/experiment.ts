import { resolve } from "node:path";
import { UserError } from "../errors.ts";
import type { EngineName } from "../device/engine-names.ts";
import type { PluginName } from "../files/plugin-name.ts";
import type { PluginModule } from "../plugins/load-plugins.ts";
import type { GivenRecipe } from "./given-recipe.ts";
import type { OptimizerName } from "../search/optimizers.ts";
import type { AnySpace } from "../space/spaces.ts";
import type { Packed } from "../tensor/packed.ts";
import type { ChoiceLossName } from "../tasks/row-loss.ts";

/**
 * A whole search as plain data: every default filled in. A model is an absolute path of a folder, or `org/name@revision`
 * of the Hugging Face Hub.
 */
export interface Experiment {
  readonly name: string;
  /** Modules that provide what the experiment calls by names with a slash. */
  readonly plugins?: readonly PluginModule[];
  /** The base model: the experts' common ancestor, whose configuration the merged model takes. */
  readonly base: string;
  readonly experts: readonly Expert[];
  /** Whose tokens the merged model has: `base`, which it is unless given, `union`, or the name of an expert. */
  readonly tokenizer?: string;
  readonly space: AnySpace;
  /** Known merges by name: scored beside the other baselines, and starting points of a search with their method. */
  readonly recipes?: Readonly<Record<string, GivenRecipe>>;
  /** An earlier run that the search begins from; its winner is a recipe, too. */
  readonly start?: StartingRun;
  readonly tasks: readonly TaskFiles[];
  readonly search: SearchOptions;
  readonly budget: Budget;
  readonly engine: EngineName | PluginName;
  /** Of matrix products; merging computes in f32. */
  readonly precision: Precision;
  readonly seed: number;
}

/** What of an earlier run a search may begin from. */
export const startingKinds = ["winner", "distribution"] as const;

export type StartingKind = (typeof startingKinds)[number];

/** An earlier run, and what is taken of it. */
export interface StartingRun {
  /** Its folder. */
  readonly run: string;
  readonly take: StartingKind;
  /** What was taken when the run was launched: from then on nothing of the earlier run is needed. */
  readonly taken?: TakenStart;
}

export interface TakenStart {
  /** Name of its winner, or of its best so far, among the recipes. */
  readonly recipe: string;
  /** By which it divided its rows: dividing them alike keeps what it searched on away from the guard. */
  readonly splitSeed: number;
  /** Of its search, where the distribution was to be taken: f32 numbers as `LearntDistribution` has them. */
  readonly learnt?: { readonly mean: Packed; readonly covariance: Packed };
}

/** A model to be merged: its name in genes and reports, and its folder or Hub name. */
export interface Expert {
  readonly name: string;
  readonly path: string;
}

/** Where rows are: files with absolute paths, read one after another, or a split of a dataset of the Hub. */
export type RowSource = readonly string[] | DatasetSource;

export interface DatasetSource {
  /** `org/name@revision` */
  readonly dataset: string;
  readonly config: string;
  /** May be left out where the configuration has one split only. */
  readonly split?: string;
}

/** Where the validation rows of a task are. */
export interface TaskFiles {
  readonly name: string;
  /** The rows that the search sees. */
  readonly rows: RowSource;
  /** The rows that judge the winner; without them they are split off `rows`. */
  readonly guard?: RowSource;
  /** Share in the loss, relative to the other tasks. */
  readonly weight: number;
  /** Of each row, if they are choices. */
  readonly loss: ChoiceLossName;
  /** That of a plugin; the rows say which of the known ones they have unless given. */
  readonly format?: PluginName;
}

export interface SearchOptions {
  readonly algorithm: OptimizerName | PluginName | "auto";
  /** Candidates per generation; "auto" follows from the number of genes. */
  readonly population: number | "auto";
  /** Part of the rows that a generation is scored on; "auto" follows from the budget. */
  readonly rowFraction: number | "auto";
  /** Whether the best baselines are among the first candidates. */
  readonly seedFromBaselines: boolean;
}

/** What ends a run: wall-clock time, which covers everything up to the export, or evaluations of candidates. */
export type Budget = { readonly seconds: number } | { readonly evaluations: number };

/** That a budget may have. */
export const MOST_EVALUATIONS = 1e9;

export const precisions = ["auto", "f32", "bf16", "mixed"] as const;

export type Precision = (typeof precisions)[number];

/** What a command line may change in an experiment. */
export interface Overrides {
  readonly budget?: Budget | undefined;
  readonly engine?: EngineName | PluginName | undefined;
  readonly seed?: number | undefined;
  /** Folder of an earlier run to begin from, and what to take of it. */
  readonly from?: string | undefined;
  readonly take?: StartingKind | undefined;
}

/** The experiment with the overrides that are given; both stay as they were. */
export function withOverrides(experiment: Experiment, { budget, engine, seed, from, take }: Overrides): Experiment {
  const run = from === undefined ? experiment.start?.run : resolve(from);
  if (run === undefined && take !== undefined)
    throw new UserError(`there is no run to take the ${take} of; name one with --from, or as start in the experiment`);
  return {
    ...experiment,
    budget: budget ?? experiment.budget,
    engine: engine ?? experiment.engine,
    seed: seed ?? experiment.seed,
    ...(run !== undefined && { start: { run, take: take ?? experiment.start?.take ?? "winner" } }),
  };
}
