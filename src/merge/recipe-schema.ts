import { z } from "zod";
import { methodNames } from "./declarations.ts";
import type { Curve, MergeRecipe, Recipe } from "./recipe.ts";

/** A name of a parameter, an expert or a group of tensors, as the key of a mapping. */
const nameSchema = z.string().min(1);

const curveSchema: z.ZodType<Curve> = z.strictObject({ layers: z.array(z.number()), rest: z.number() });

const passthroughSchema: z.ZodType<Exclude<Recipe, MergeRecipe>> = z.strictObject({
  method: z.literal("passthrough"),
  model: nameSchema,
});

const mergeRecipeSchema: z.ZodType<MergeRecipe> = z.strictObject({
  method: z.enum(methodNames),
  parameters: z.record(nameSchema, z.record(nameSchema, z.record(nameSchema, curveSchema))),
});

/** A recipe from a file; whether it fits a model and its parents, `stepAt` finds. */
export const recipeSchema: z.ZodType<Recipe> = z.union([passthroughSchema, mergeRecipeSchema]);
