/** An experiment file as it is written. */
import { basename } from "node:path";
import { z } from "zod";
import { durationSchema } from "../config/duration.ts";
import { exactlyOneKey } from "../config/exactly-one-key.ts";
import { anyOf } from "../config/expectation.ts";
import { type EngineName, engineNames } from "../device/engine-names.ts";
import { type Budget, MOST_EVALUATIONS, precisions, startingKinds } from "./experiment.ts";
import { PLUGIN_NAME, type PluginName } from "../files/plugin-name.ts";
import { parseReference } from "../hub/api/reference.ts";
import type { FormulaMethods } from "../merge/formula-method-schema.ts";
import { type OptimizerName, optimizers } from "../search/optimizers.ts";
import { checkRecipes, knotRecipeSchemaWith } from "../space/knot-recipe.ts";
import { anySpaceSchemaWith } from "../space/spaces.ts";
import { choiceLossNames, defaultLoss } from "../tasks/row-loss.ts";
import { whyNoPolicy } from "./tokenizer-policy.ts";

export const pathSchema = z.string("a path").min(1, "a path");
// Names become keys of objects: numbers would be reordered, and every object has a constructor and a few keys more.
export const nameSchema = z
  .string()
  .regex(/^(?!\d+$)[A-Za-z0-9_][\w.-]*$/, "a name of letters, digits, _, - and ., not just digits")
  .max(100)
  .refine((name) => !(name in {}), {
    error: ({ input }) => `"${String(input)}" is a name of JavaScript's own; take another`,
  });

/** A file of mergekit's, or the recipe.json of an export. */
const recipePathSchema = z.string("a file of mergekit's, a recipe.json, or a mapping").min(1, "a file");

const givingNames = "give the expert a name of its own, as in { name: folder }";

/** Experts by name; those in a list are named after their folders. */
const expertsSchema = z
  .union([
    z
      .array(pathSchema)
      .min(1)
      .check(checkNames)
      .transform((paths) => Object.fromEntries(paths.map((path) => [nameOf(path), path]))),
    namedMapping(pathSchema, "expert"),
  ])
  .refine((experts) => !Object.hasOwn(experts, "base"), `"base" names the base model; ${givingNames}`);

export const rowsSchema = z.union([
  pathSchema,
  z.array(pathSchema).min(1),
  z.strictObject({
    dataset: z.string().refine((text) => parseReference(text), "expected a dataset as org/name or org/name@revision"),
    config: z.string().min(1).exactOptional(),
    split: z.string().min(1).exactOptional(),
  }),
]);

/** Names that plugins add to those that are known: these, or any of theirs where the plugins are not to be loaded. */
export interface PluginNames {
  readonly formats: readonly PluginName[] | "any";
  readonly optimizers: readonly PluginName[] | "any";
  readonly methods: FormulaMethods;
  readonly engines: readonly PluginName[] | "any";
}

/** Of an experiment without plugins. */
export const noPluginNames: PluginNames = { formats: [], optimizers: [], methods: new Map(), engines: [] };

/** A name of a plugin's, or of what else is expected there. */
function anyPluginName(...others: readonly string[]): z.ZodType<PluginName> {
  const expected = anyOf([...others, "a name as plugin/name"]);
  return z.string().regex(PLUGIN_NAME, expected) as unknown as z.ZodType<PluginName>;
}

const pluginsSchema = z
  .array(pathSchema)
  .min(1)
  .max(100)
  .describe(
    "modules that provide what is called plugin/name: files, or packages that are installed here; their code runs",
  );

/** The part of an experiment file that is read first, since it says what the rest may name. */
export const pluginsInFileSchema = z.looseObject({ plugins: pluginsSchema.exactOptional() });

function formatSchemaWith(formats: PluginNames["formats"]): z.ZodType<PluginName> {
  if (formats === "any") return anyPluginName();
  return z.enum(formats, formats.length > 0 ? undefined : "a format of a plugin, which the key plugins names");
}

function namedBy<Own extends string>(
  own: readonly Own[],
  plugins: readonly PluginName[] | "any",
): z.ZodType<Own | PluginName> {
  return plugins === "any" ? z.union([z.enum(own), anyPluginName(...own)]) : z.enum([...own, ...plugins]);
}

/** An engine of a file whose plugins provide these. */
export function engineSchemaWith({ engines }: Pick<PluginNames, "engines">): z.ZodType<EngineName | PluginName> {
  return namedBy(engineNames, engines);
}

/** A task of a file whose plugins provide these names. */
export const taskSchemaWith = ({ formats }: Pick<PluginNames, "formats">) =>
  z.strictObject({
    rows: rowsSchema.describe(
      "rows to search on: a file (.jsonl, .json, .csv, .parquet), a list of files, or a dataset of the Hub",
    ),
    guard: rowsSchema
      .optional()
      .describe("rows for the verdict, which no search sees; left out, 30 % of the groups of rows"),
    weight: z.number().positive().min(1e-6).max(1e6).default(1).describe("share in the combined loss"),
    loss: z.enum(choiceLossNames).default(defaultLoss).describe("of rows with choices"),
    format: formatSchemaWith(formats)
      .exactOptional()
      .describe("of a plugin, as plugin/name; rows of the known formats need none"),
  });

export const startSchema = z.strictObject({
  run: pathSchema.describe("its folder"),
  take: z.enum(startingKinds).default("winner").describe("what the search begins with"),
});

/** As many as pay off only where a candidate takes no time at all. */
const MAX_POPULATION = 10_000;

export const searchSchemaWith = ({ optimizers: others }: Pick<PluginNames, "optimizers">) =>
  z.strictObject({
    algorithm: namedBy(["auto", ...(Object.keys(optimizers) as OptimizerName[])], others)
      .default("auto")
      .describe(
        "auto is gradient-walk, for stacks of layers mixed-evolution; front-walk and nsga2 look for a front of several tasks",
      ),
    population: z
      .union([z.literal("auto"), z.int().min(2).max(MAX_POPULATION)])
      .default("auto")
      .describe("candidates of a generation, of a front-walk walks at most; a gradient-walk has none"),
    rowFraction: z
      .union([z.literal("auto"), z.number().min(0.05).max(1)])
      .default("auto")
      .describe("part of the rows that a generation meets"),
    seedFromBaselines: z
      .boolean()
      .default(true)
      .describe("whether the search begins at the best of uniform average, global weights and recipes"),
  });

/** Candidates that a run may score. */
export const evaluationsSchema: z.ZodType<number> = z.int().min(1).max(MOST_EVALUATIONS);

const budgetSchema = exactlyOneKey({ time: durationSchema, evaluations: evaluationsSchema }).transform(
  ({ key, value }): Budget => (key === "time" ? { seconds: value } : { evaluations: value }),
);

/** An experiment file whose plugins provide these names. */
export const experimentSchemaWith = (names: PluginNames) =>
  z
    .strictObject({
      name: nameSchema.optional().describe("of the runs; the file's unless given"),
      base: pathSchema.describe(
        "the experts' common ancestor: a folder, or org/name@revision of the Hub; configuration and tokenizer of the merged model are its",
      ),
      experts: expertsSchema.describe(
        "models or LoRA adapters to merge, folders or names on the Hub: a list, or by names of your own",
      ),
      tokenizer: z
        .string()
        .exactOptional()
        .describe("whose tokens the merge has: base, union, or the name of an expert"),
      space: z
        .union([pathSchema, anySpaceSchemaWith(names.methods)])
        .describe("search space: the name of one that ships, such as task-arithmetic-tensors, a file, or written here"),
      recipes: z
        .record(nameSchema, z.union([recipePathSchema, knotRecipeSchemaWith(names.methods)]))
        .exactOptional()
        .describe(
          "known merges by name, which are baselines and starting points: coefficients, a file of mergekit's, or the recipe.json of an export",
        ),
      start: startSchema
        .exactOptional()
        .describe("an earlier run to begin from: its winner is a baseline and a starting point, too"),
      plugins: pluginsSchema.exactOptional(),
      tasks: namedMapping(taskSchemaWith(names), "task").describe(
        "what is scored, by name: the combined loss is the weighted mean of theirs",
      ),
      search: searchSchemaWith(names).prefault({}).describe("how the space is searched"),
      budget: budgetSchema.describe("what ends a run: time for everything, such as 1h, or evaluations of candidates"),
      engine: engineSchemaWith(names).default("auto").describe("where to compute"),
      precision: z
        .enum(precisions)
        .default("auto")
        .describe("of matrix products; mixed is bf16 while searching and f32 for all that is compared"),
      seed: z.int().min(0).default(1).describe("of all that is drawn at random"),
    })
    .check(checkRecipes)
    .check(({ value: { tokenizer, experts }, issues }) => {
      const message = tokenizer === undefined ? undefined : whyNoPolicy(tokenizer, Object.keys(experts));
      if (message !== undefined) issues.push({ code: "custom", input: tokenizer, path: ["tokenizer"], message });
    });

/** An experiment file with its defaults; paths are as they are written. */
export type ExperimentFile = z.output<ReturnType<typeof experimentSchemaWith>>;

function namedMapping<T extends z.ZodType>(value: T, kind: string): z.ZodType<Record<string, z.output<T>>> {
  return z
    .record(nameSchema, value)
    .refine((mapping) => Object.keys(mapping).length > 0, `expected at least one ${kind}, found none`);
}

function checkNames({ value: paths, issues }: z.core.ParsePayload<string[]>): void {
  const names = paths.map(nameOf);
  for (const [i, name] of names.entries()) {
    const isTaken = names.indexOf(name) < i;
    if (!isTaken && nameSchema.safeParse(name).success) continue;
    const fault = isTaken ? `another expert is named "${name}" too` : `"${name}" cannot serve as a name`;
    const message = `${fault}; ${givingNames}`;
    issues.push({ code: "custom", input: paths[i], path: [i], message });
  }
}

/** A model's own name: the last part of its path, or of its Hub name without the revision. */
function nameOf(model: string): string {
  return basename(parseReference(model)?.name ?? model);
}
