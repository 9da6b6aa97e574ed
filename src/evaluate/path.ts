/** The way of a candidate through its stages: what each of them computes, and what its weights are made of. */
import { stepAt, type Recipe, type Step } from "../merge/recipe.ts";
import type { Stage } from "../model/architecture.ts";
import { Route } from "./route.ts";
import { mapValues, type Merging } from "./stage-run.ts";

/** What a weight is made of: the parents' weights of a name, and what is done with them. */
export interface WeightSource {
  readonly name: string;
  readonly step: Step;
}

export interface PathStage {
  readonly stage: Stage;
  /** By the role of each weight of the stage. */
  readonly sources: Readonly<Record<string, WeightSource>>;
}

/** In the order of the forward pass. */
export type StagePath = readonly PathStage[];

/** By candidate. */
export type StagePaths = ReadonlyMap<number, StagePath>;

/** The path of the model that a recipe makes. */
export function stagePathOf({ model, experts }: Pick<Merging, "model" | "experts">, recipe: Recipe): StagePath {
  return model.stages.map((stage) => ({
    stage,
    sources: mapValues(stage.weights, (weight) => ({ name: weight.name, step: stepAt(recipe, weight, experts) })),
  }));
}

export function stagePathsOf(
  merging: Pick<Merging, "model" | "experts">,
  recipes: readonly Recipe[],
  members: readonly number[],
): StagePaths {
  return new Map(members.map((member) => [member, stagePathOf(merging, recipes[member]!)]));
}

/** What of the parents is needed where all of them go at once, stage by stage. */
export function routeAlong(paths: StagePaths): Route {
  const all = [...paths.values()];
  const length = Math.max(...all.map((path) => path.length));
  return new Route(
    Array.from({ length }, (_, index) =>
      all.flatMap((path) => Object.values(path[index]?.sources ?? {}).map(({ name }) => name)),
    ),
  );
}
