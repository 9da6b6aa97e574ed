/** A merge as mergekit's YAML describes it: read strictly, since what is misspelt there would be left out in silence. */
import { z } from "zod";
import { anyOf, expectation } from "../config/expectation.ts";
import { firstFaultOf } from "../config/faults.ts";
import { loadYaml } from "../config/load-yaml.ts";
import { nearestName } from "../config/nearest-name.ts";
import { UserError } from "../errors.ts";
import { checkValues } from "./check-values.ts";
import { mergekitMethods, mergekitParameters } from "./methods.ts";
import { modelReferenceSchema } from "./model-reference.ts";
import { settingsSchema } from "./settings.ts";

/** Editors complete the names that `checkNames` knows. */
const parameters = settingsSchema
  .check(checkNames)
  .meta({ propertyNames: { enum: mergekitParameters } })
  .optional();
const model = modelReferenceSchema;
/** The first layer, and the one behind the last. */
const range = z.tuple([z.int().min(0), z.int().min(0)]);

const inputModel = z.strictObject({ model, parameters });
const inputSlice = z.strictObject({ model, layer_range: range, parameters });
const outputSlice = z.strictObject({ sources: z.array(inputSlice).min(1), base_model: model.optional(), parameters });
const models = z.array(inputModel).min(1);
const slices = z.array(outputSlice).min(1);
const outputModule = z
  .strictObject({ models: models.optional(), slices: slices.optional(), parameters })
  .check(exactlyOne(["models", "slices"]));

const dtypes = ["float32", "float16", "bfloat16"] as const;
const tokenizerSource = z.union([z.enum(["base", "union"]), model]);

export const mergekitRecipeSchema = z
  .strictObject({
    merge_method: z.enum(mergekitMethods),
    base_model: model.optional(),
    models: models.optional(),
    slices: slices.optional(),
    modules: z.record(z.string(), outputModule).optional(),
    parameters,
    dtype: z.enum(dtypes).optional(),
    out_dtype: z.enum(dtypes).optional(),
    tokenizer_source: tokenizerSource.optional(),
    tokenizer: z
      .strictObject({ source: tokenizerSource.default("union"), pad_to_multiple_of: z.int().positive().optional() })
      .optional(),
    chat_template: z.string().min(1).optional(),
  })
  .check(exactlyOne(["models", "slices", "modules"]), checkValues)
  .refine(
    ({ tokenizer_source, tokenizer }) => tokenizer_source === undefined || tokenizer === undefined,
    "expected tokenizer_source or tokenizer, found both",
  );

/** A recipe as code gives it. */
export type MergekitRecipeInput = z.input<typeof mergekitRecipeSchema>;

/** A recipe that was checked, apart from the models that it names. */
export type MergekitRecipe = z.output<typeof mergekitRecipeSchema>;

export type OutputModule = z.output<typeof outputModule>;
export type OutputSlice = z.output<typeof outputSlice>;
export type InputSlice = z.output<typeof inputSlice>;

/** Reads a file; the first fault is an error at its line and column. */
export function loadMergekitRecipe(path: string): Promise<MergekitRecipe> {
  return loadYaml(path, mergekitRecipeSchema, { asYaml11: true });
}

/** Checks a recipe that code gives; the first fault is a UserError. */
export function checkMergekitRecipe(recipe: MergekitRecipeInput): MergekitRecipe {
  const parsed = mergekitRecipeSchema.safeParse(recipe, { error: expectation, reportInput: true });
  if (parsed.success) return parsed.data;
  throw new UserError(`recipe: ${firstFaultOf(parsed.error.issues)}`);
}

function exactlyOne(keys: readonly string[]): (payload: z.core.ParsePayload<object>) => void {
  return ({ value, issues }) => {
    const given = keys.filter((key) => (value as Readonly<Record<string, unknown>>)[key] !== undefined);
    if (given.length === 1) return;
    const message = `expected exactly one of ${anyOf(keys)}, found ${given.join(" and ") || "none"}`;
    issues.push({ code: "custom", input: value, path: [], message });
  };
}

function checkNames({ value, issues }: z.core.ParsePayload<Readonly<Record<string, unknown>>>): void {
  for (const name of Object.keys(value).filter((key) => !mergekitParameters.includes(key))) {
    const nearest = nearestName(name, mergekitParameters);
    const advice = nearest === undefined ? `expected ${anyOf(mergekitParameters)}` : `did you mean "${nearest}"?`;
    issues.push({ code: "custom", input: value, path: [name], message: `no method has such a parameter; ${advice}` });
  }
}
