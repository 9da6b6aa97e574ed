/** An experiment opened for programs of one's own: its points, recipes and rows, scored and merged in any order. */
import { mergeModels, type MergedModel, type MergeModelsOptions } from "../export/from-recipe/merge-models.ts";
import { UserError } from "../errors.ts";
import type { Selection } from "../evaluate/evaluator.ts";
import { checkedRecipe } from "../experiment/checked-recipe.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { readTasks, type Task } from "../experiment/load-tasks.ts";
import { BASE } from "../experiment/the-base.ts";
import { openWorkspace, type Workspace } from "../experiment/workspace.ts";
import type { MergeRecipe, Recipe } from "../merge/recipe.ts";
import { bringHere, type BringOptions } from "../run/recorded/bring-here.ts";
import { allRows } from "../run/session/session.ts";
import type { Genome } from "../space/genome.ts";
import { genomeOf } from "../space/spaces.ts";
import { type RowScore, type Summary, summarise } from "../tasks/score.ts";
import { type GivenCoefficients, recipeOfCoefficients } from "./given-coefficients.ts";

/** The points of an experiment's search space, and what they stand for. */
export type ExperimentGenome = Pick<
  Genome,
  "dimension" | "genes" | "levels" | "start" | "summary" | "decode" | "startAt"
>;

/** What a recipe's model made of rows. */
export interface RecipeScores {
  /** Means by task. */
  readonly tasks: Readonly<Record<string, Summary>>;
  /** Of each row, in the order of the rows, by task. */
  readonly rows: Readonly<Record<string, readonly RowScore[]>>;
}

export interface ScoreRecipesOptions {
  /** A side of the experiment's rows, or others by task, as `readRows` reads them; the search rows unless given. */
  readonly rows?: "search" | "guard" | Selection | undefined;
  /** Rows of each task, from the first; all unless given. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told the share of the scoring that is done. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/** Closing it frees the device and the files. One scoring at a time. */
export interface OpenedExperiment extends AsyncDisposable {
  /** As it was given, with commits in the place of other revisions of the Hub. */
  readonly experiment: Experiment;
  /** Engine, version and hardware in one line. */
  readonly engine: string;
  readonly genome: ExperimentGenome;
  /** The rows as a run divides them. */
  readonly tasks: readonly Task[];
  /** The recipe that coefficients mean, as an experiment file has them; a UserError where they do not fit the experiment. */
  recipe(coefficients: GivenCoefficients): MergeRecipe;
  /** Scores recipes of the experiment's models, all of them on the same rows; the results are in the order of the recipes. */
  score(recipes: readonly Recipe[], options?: ScoreRecipesOptions): Promise<RecipeScores[]>;
  /** Merges the experiment's models into a Hugging Face folder, as `mergeModels` does. */
  merge(recipe: Recipe, to: string, options?: MergeRecipeOptions): Promise<MergedModel>;
}

export type MergeRecipeOptions = Pick<MergeModelsOptions, "maxShardBytes" | "signal" | "onEvent">;

export type OpenExperimentOptions = Pick<BringOptions, "hub" | "signal"> & {
  /** Told what a person should know, such as a better engine that does not work here. */
  readonly onNotice?: ((text: string) => void) | undefined;
};

/**
 * Opens the models, rows and engine of an experiment, fetching what comes from the Hub. Models that do not fit together, and
 * faults of rows, are UserErrors; no weight is read before something is scored or merged.
 */
export async function openExperiment(
  given: Experiment,
  { hub, signal, onNotice }: OpenExperimentOptions = {},
): Promise<OpenedExperiment> {
  const { experiment, local } = await bringHere(given, {
    hub,
    signal,
    onEvent: (event) => event.type === "notice" && onNotice?.(event.text),
  });
  const workspace = await openWorkspace(local, { signal, onNotice });
  try {
    const tasks = await readTasks(local, { signal, onNotice });
    const genome = genomeOf(local.space, { ...workspace, base: BASE });
    return {
      experiment,
      engine: workspace.engine.name,
      genome,
      tasks,
      recipe: (coefficients) => recipeOfCoefficients(coefficients, workspace),
      score: (recipes, options) => scoreRecipes(workspace, tasks, recipes, options),
      merge: async (recipe, to, options = {}) =>
        mergeModels({
          ...options,
          recipe: checkedRecipe(recipe, workspace),
          to,
          base: local.base,
          experts: Object.fromEntries(local.experts.map(({ name, path }) => [name, path])),
          tokenizer: local.tokenizer,
        }),
      [Symbol.asyncDispose]: () => workspace[Symbol.asyncDispose](),
    };
  } catch (error) {
    await workspace[Symbol.asyncDispose]();
    throw error;
  }
}

async function scoreRecipes(
  workspace: Workspace,
  tasks: readonly Task[],
  recipes: readonly Recipe[],
  { rows = "search", limit = Infinity, signal, onProgress }: ScoreRecipesOptions = {},
): Promise<RecipeScores[]> {
  const all = typeof rows === "string" ? allRows(tasks, rows) : rows;
  const selection = Object.fromEntries(Object.entries(all).map(([task, own]) => [task, own.slice(0, limit)]));
  const empty = Object.entries(selection).find(([, own]) => own.length === 0);
  if (empty || Object.keys(selection).length === 0)
    throw new UserError(
      `rows${empty ? ` of ${empty[0]}` : ""}: expected at least one, found none; give a larger limit, or rows`,
    );
  const checked = recipes.map((recipe) => checkedRecipe(recipe, workspace));
  if (checked.length === 0) return [];
  const evaluations = await workspace.evaluator.evaluate(checked, selection, { signal, onProgress });
  return evaluations.map(({ scores }) => ({
    tasks: Object.fromEntries(
      Object.entries(selection).map(([task, own]) => [task, summarise(own, scores[task] ?? [])]),
    ),
    rows: scores,
  }));
}
