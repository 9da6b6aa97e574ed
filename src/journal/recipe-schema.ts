import { z } from "zod";
import { expectation } from "../config/expectation.ts";
import { firstFaultOf } from "../config/faults.ts";
import { UserError } from "../errors.ts";
import { declarationOf, methodName } from "../merge/declarations.ts";
import { carryingMethod, type FormulaMethods, methodSchemaWith } from "../merge/formula-method-schema.ts";
import { whyNoOption } from "../merge/method.ts";
import { MAX_VALUE, type Curve, type Recipe } from "../merge/recipe.ts";
import { unpack } from "../tensor/packed.ts";
import { mapOf, numbersOf } from "./lists.ts";

const curveSchema: z.ZodType<Curve> = z.strictObject({
  layers: numbersOf(`numbers from -${MAX_VALUE} to ${MAX_VALUE}`, (value) => Math.abs(value) <= MAX_VALUE),
  rest: z.number().min(-MAX_VALUE).max(MAX_VALUE),
});

const columnsSchema = z
  .string()
  .refine((text) => unpack(text)?.every((value) => Math.abs(value) <= MAX_VALUE) ?? false, {
    error: `expected f32 numbers from -${MAX_VALUE} to ${MAX_VALUE} in base64, found others`,
  });

const passthroughSchema = z.strictObject({
  method: z.literal("passthrough"),
  model: z.string().min(1),
});

/** As many layers as a config.json may name. */
const MAX_LAYERS = 2 ** 12;

const stackSchema = z.strictObject({
  method: z.literal("stack"),
  layers: z
    .array(
      z.strictObject({
        model: z.string().min(1),
        layer: z.int().nonnegative(),
        scale: z.number().min(-MAX_VALUE).max(MAX_VALUE),
      }),
    )
    .min(1)
    .max(MAX_LAYERS),
  rest: z.string().min(1),
});

const mergeRecipeSchemaWith = (methods: FormulaMethods) =>
  z
    .strictObject({
      method: methodSchemaWith(methods),
      parameters: mapOf(mapOf(mapOf(curveSchema))),
      columns: mapOf(mapOf(mapOf(columnsSchema))).exactOptional(),
      options: mapOf(z.union([z.boolean(), z.number()])).exactOptional(),
      seed: z.int().min(0).exactOptional(),
    })
    .check(({ value: { method, options = {} }, issues }) => {
      for (const [name, value] of Object.entries(options)) {
        const spec = declarationOf(method).options?.find((own) => own.name === name);
        const expected = spec ? whyNoOption(spec, value) : `an option that ${methodName(method)} has`;
        if (expected === undefined) continue;
        issues.push({ code: "custom", input: value, path: ["options", name], message: `expected ${expected}` });
      }
    });

/** A recipe of which nothing is known; a UserError that begins with `what` where it has not the keys and types of one. */
export function parseRecipe(given: unknown, what: string): Recipe {
  const parsed = recipeSchema.safeParse(given, { error: expectation, reportInput: true });
  if (parsed.success) return parsed.data;
  throw new UserError(`${what}: ${firstFaultOf(parsed.error.issues)}`);
}

/** A recipe from a file; whether it fits a model and its parents, `stepAt` finds. */
export const recipeSchema: z.ZodType<Recipe> = carryingMethod((methods) =>
  z.discriminatedUnion("method", [passthroughSchema, stackSchema, mergeRecipeSchemaWith(methods)]),
);
