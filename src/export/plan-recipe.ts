import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { stagePathOf } from "../evaluate/path.ts";
import { BASE, baseOf } from "../experiment/the-base.ts";
import type { PlannedWeight, TensorSource } from "../merge-files/plan.ts";
import { declarationOf } from "../merge/declarations.ts";
import type { Recipe } from "../merge/recipe.ts";
import type { Model } from "../model/architecture.ts";

/** The merge of every weight of a model by a recipe, in the dtype that the base has it in. */
export function planRecipe(
  recipe: Recipe,
  model: Model,
  checkpoints: ReadonlyMap<string, Checkpoint>,
): readonly PlannedWeight[] {
  const { tensors } = baseOf(checkpoints);
  const experts = [...checkpoints.keys()].filter((name) => name !== BASE);
  const planned = new Map<string, PlannedWeight>();
  for (const { stage, sources } of stagePathOf({ model, experts }, recipe)) {
    for (const [role, { name, shape }] of Object.entries(stage.weights)) {
      const { name: tensor, step } = sources[role] ?? absent(name);
      const sourceIn = (parent: string): TensorSource => ({ model: parent, tensor });
      const spec = { name, shape, dtype: tensors.get(tensor)?.dtype ?? "f32" };
      const isCopy = step.method === "passthrough";
      const parents = isCopy
        ? { experts: [sourceIn(step.model)] }
        : {
            ...(declarationOf(step.method).needsBase && { base: sourceIn(BASE) }),
            experts: experts.map(sourceIn),
          };
      planned.set(name, { spec, ...parents, step });
    }
  }
  return [...planned.values()];
}

function absent(name: string): never {
  throw new Error(`export: nothing is known of ${name}`);
}
