import { z } from "zod";
import { expectation } from "../config/expectation.ts";
import { firstFaultOf } from "../config/faults.ts";
import { UserError } from "../errors.ts";
import type { MergeMethod } from "../merge/declarations.ts";
import { carryingMethod } from "../merge/formula-method-schema.ts";
import type { Options } from "../merge/method.ts";
import type { MergeRecipe } from "../merge/recipe.ts";
import type { Model } from "../model/architecture.ts";
import { checkRecipes, knotRecipeSchemaWith, recipeOver } from "../space/knot-recipe.ts";

/** One value for all layers, or values at evenly spaced depths with straight lines between, from the first layer to the last. */
export type GivenValue = number | readonly number[];

/** Coefficients as `recipes` of an experiment file has them. */
export interface GivenCoefficients {
  readonly method: MergeMethod;
  /** By parameter of the method, then by expert: for all tensors, or by group, where `rest` is all that are not named. */
  readonly parameters: Readonly<
    Record<string, Readonly<Record<string, GivenValue | Readonly<Record<string, GivenValue>>>>>
  >;
  /** Of the method. */
  readonly options?: Options;
  /** Of a method that draws at random. */
  readonly seed?: number;
}

/** No expert can have this name, with which faults begin. */
const NAME = "the coefficients";

const schema = z
  .strictObject({
    experts: z.record(z.string(), z.string()),
    recipes: z.record(z.string(), carryingMethod(knotRecipeSchemaWith)),
  })
  .check(checkRecipes);

/** The recipe of these experts; a UserError for the first value that is missing, too many or of the wrong kind. */
export function recipeOfCoefficients(
  { parameters, ...others }: GivenCoefficients,
  { experts, model }: { readonly experts: readonly string[]; readonly model: Pick<Model, "groups"> },
): MergeRecipe {
  const parsed = schema.safeParse(
    {
      experts: Object.fromEntries(experts.map((name) => [name, name])),
      recipes: { [NAME]: { ...parameters, ...others } },
    },
    { error: expectation, reportInput: true },
  );
  const recipe = parsed.data?.recipes[NAME];
  if (recipe) return recipeOver(model.groups, recipe);
  throw new UserError(firstFaultOf(parsed.error?.issues ?? []).replace(/^recipes\./, ""));
}
