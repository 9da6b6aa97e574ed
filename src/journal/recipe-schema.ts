import { z } from "zod";
import { methodNames } from "../merge/declarations.ts";
import type { Curve, MergeRecipe, Recipe } from "../merge/recipe.ts";
import { mapOf, numbersOf } from "./lists.ts";

const curveSchema: z.ZodType<Curve> = z.strictObject({
  layers: numbersOf("numbers", Number.isFinite),
  rest: z.number(),
});

const passthroughSchema: z.ZodType<Exclude<Recipe, MergeRecipe>> = z.strictObject({
  method: z.literal("passthrough"),
  model: z.string().min(1),
});

const mergeRecipeSchema: z.ZodType<MergeRecipe> = z.strictObject({
  method: z.enum(methodNames),
  parameters: mapOf(mapOf(mapOf(curveSchema))),
});

/** A recipe from a file; whether it fits a model and its parents, `stepAt` finds. */
export const recipeSchema: z.ZodType<Recipe> = z.union([passthroughSchema, mergeRecipeSchema]);
