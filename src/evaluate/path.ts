/** The way of a candidate through its stages: what each of them computes, and what its weights are made of. */
import { stepAt, type Recipe, type StackRecipe } from "../merge/recipe.ts";
import type { Model, RestackedModel, Stage } from "../model/architecture.ts";
import { Route, type WeightSource } from "./route.ts";
import type { Merging } from "./stage-run.ts";

export interface PathStage {
  readonly stage: Stage;
  /** By the role of each weight of the stage. */
  readonly sources: Readonly<Record<string, WeightSource>>;
  /** Whether it is one of those into which a stage is divided: its state has tensors of those before it. */
  readonly isPart?: boolean;
}

/** In the order of the forward pass. */
export type StagePath = readonly PathStage[];

/** By candidate. */
export type StagePaths = ReadonlyMap<number, StagePath>;

/** The model that a recipe makes of such parents. */
export function resultOf(model: Model, recipe: Recipe): Model | RestackedModel {
  if (recipe.method !== "stack") return model;
  if (!model.restacked) throw new Error("path: layers of such a model cannot be stacked");
  return model.restacked(recipe.layers.map(({ layer }) => layer));
}

/** The path of the model that a recipe makes. */
export function stagePathOf({ model, experts }: Pick<Merging, "model" | "experts">, recipe: Recipe): StagePath {
  return resultOf(model, recipe).stages.map((stage) => {
    const origin = recipe.method === "stack" ? originOf(model, recipe, stage) : stage;
    const sources = Object.entries(stage.weights).map(([role, weight]) => {
      const { name } = origin.weights[role] ?? absent(weight.name);
      const isGathered = stage.gathered?.includes(role) ?? false;
      return [role, { name, step: stepAt(recipe, weight, experts), ...(isGathered && { isGathered }) }];
    });
    return { stage, sources: Object.fromEntries(sources) as PathStage["sources"] };
  });
}

/** The stage of the parents that a stage of a stack is taken from. */
function originOf({ stages }: Model, { layers }: StackRecipe, stage: Stage): Stage {
  if (stage.place.layer === undefined) return stage;
  const from = layers[stage.place.layer]?.layer;
  return stages.find(({ place }) => place.layer === from) ?? absent(`layer ${from}`);
}

function absent(name: string): never {
  throw new Error(`path: the parents have no ${name}`);
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
    Array.from({ length }, (_, index) => all.flatMap((path) => Object.values(path[index]?.sources ?? {}))),
  );
}
