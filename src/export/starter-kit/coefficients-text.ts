/** Coefficients as Python: their tables, and for those of curves the function that finds a tensor's coefficients. */
import { declarationOf } from "../../merge/declarations.ts";
import { optionsOf } from "../../merge/method.ts";
import {
  type Curves,
  curvesOf,
  hasColumns,
  type MergeRecipe,
  type RecipeWithColumns,
  type WeightwiseRecipe,
} from "../../merge/recipe.ts";
import { columnsText, type NumberedPart } from "./columns-text.ts";
import { type PythonData, pythonLiteral } from "./python-literal.ts";
import type { StoredWeight } from "./tensor-table.ts";

/** What the tensor's coefficients are called: a kind of tensors with coefficients of its own is a group, too. */
export function groupIn(recipe: WeightwiseRecipe, { tensor, group }: StoredWeight): string {
  if (recipe.method === "passthrough") return group;
  return Object.values(recipe.parameters).some((curves) => Object.hasOwn(curves, tensor)) ? tensor : group;
}

/** The tables of a recipe. */
export function coefficientText(
  recipe: WeightwiseRecipe,
  weights: readonly StoredWeight[],
  merged: readonly string[],
): string {
  if (recipe.method === "passthrough") return "";
  return `# By parameter, group of tensors and model: a value for each layer, and one for the tensors outside the layers.
COEFFICIENTS = ${pythonLiteral(coefficientTable(recipe, weights, merged))}

${hasColumns(recipe) ? columnsText(recipe, numberedPart(recipe), weights, merged) : ""}`;
}

/** What has coefficients of its own where not the whole tensor has one. */
export function numberedPart({ method, options }: RecipeWithColumns): NumberedPart {
  const declaration = declarationOf(method);
  return declaration.needs?.gram?.(optionsOf(declaration, options)) === "rows" ? "row" : "column";
}

/** Curves by parameter, group and merged model. */
function coefficientTable(
  recipe: MergeRecipe,
  weights: readonly StoredWeight[],
  merged: readonly string[],
): PythonData {
  const names = new Set(Object.values(recipe.parameters).flatMap((curves) => Object.keys(curves)));
  const weightOf = new Map(weights.map((weight) => [groupIn(recipe, weight), weight]));
  const groups = [...names].flatMap((name): [string, StoredWeight][] => {
    const weight = weightOf.get(name);
    return weight ? [[name, weight]] : [];
  });
  const ofModels = (curves: Curves[string] | undefined): PythonData =>
    Object.fromEntries(
      merged.map((model) => {
        const curve = curves?.[model];
        if (!curve) throw new Error(`starter kit: the recipe has no coefficients for ${model}`);
        return [model, { layers: curve.layers, rest: curve.rest }];
      }),
    );
  const tables = Object.entries(recipe.parameters).map(([parameter, curves]) => [
    parameter,
    Object.fromEntries(groups.map(([name, weight]) => [name, ofModels(curvesOf(curves, weight))])),
  ]);
  return Object.fromEntries(tables) as PythonData;
}

/** Where no columns have their own. */
export const coefficients = `
def coefficients(parameter, group, layer):
    """The merged models, each with its coefficient at a tensor, rounded to float32."""
    for model in MERGED:
        curve = COEFFICIENTS[parameter][group][model]
        value = curve["rest"] if layer is None else curve["layers"][layer]
        yield model, torch.tensor(value, dtype=torch.float32)
`;
