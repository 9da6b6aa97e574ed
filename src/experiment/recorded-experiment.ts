import { z } from "zod";
import { expectation } from "../config/expectation.ts";
import { firstFaultOf } from "../config/faults.ts";
import { UserError } from "../errors.ts";
import { PLUGIN_WORD } from "../files/plugin-name.ts";
import { recipeSchema as exportedRecipeSchema } from "../journal/recipe-schema.ts";
import { carryingMethod } from "../merge/formula-method-schema.ts";
import { mergekitRecipeSchema } from "../mergekit/recipe-file.ts";
import { whyNotMerged } from "../space/expert-count.ts";
import { checkRecipes, type KnotRecipe, knotRecipeSchemaWith } from "../space/knot-recipe.ts";
import { searchSpaceSchemaWith } from "../space/search-space.ts";
import type { AnySpace } from "../space/spaces.ts";
import { stackSpaceSchema } from "../space/stack-space.ts";
import { whyNoPopulation } from "./experiment-file.ts";
import {
  engineSchemaWith,
  evaluationsSchema,
  nameSchema,
  pathSchema,
  searchSchemaWith,
  startSchema,
  taskSchemaWith,
} from "./experiment-schema.ts";
import { type Budget, type Experiment, precisions, type RowSource } from "./experiment.ts";
import { choiceLossNames } from "../tasks/row-loss.ts";
import { unpack } from "../tensor/packed.ts";
import { whyNoPolicy } from "./tokenizer-policy.ts";
import { whyNoFront } from "./why-no-front.ts";
import type { ExportedGiven, MergekitGiven } from "./given-recipe.ts";
import { BASE } from "./the-base.ts";

/** A search space is judged by what judges its file, where only the depth is written otherwise. */
const mergeSpaceSchema = z
  .strictObject({
    method: z.unknown(),
    groups: z.unknown(),
    depth: z.strictObject({ curve: z.string(), terms: z.unknown().optional() }),
    columns: z.unknown().optional(),
    options: z.unknown().optional(),
    seed: z.unknown().optional(),
    parameters: z.unknown(),
  })
  .transform(({ depth: { curve, terms }, ...space }): unknown => ({
    ...space,
    depth: terms === undefined ? curve : { [curve]: terms },
  }))
  .pipe(carryingMethod(searchSpaceSchemaWith));

/** The kind that the method says is meant: only its faults are told. */
const spaceSchema: z.ZodType<AnySpace> = z.unknown().transform((found, { issues }) => {
  const isStack = typeof found === "object" && found !== null && "method" in found && found.method === "stack";
  const schema: z.ZodType<AnySpace> = isStack ? stackSpaceSchema : mergeSpaceSchema;
  const parsed = schema.safeParse(found, { error: expectation, reportInput: true });
  if (parsed.success) return parsed.data;
  issues.push(...(parsed.error.issues as typeof issues));
  return z.NEVER;
});

/** So is a recipe, where a coefficient of one value is no list. */
const recipeSchema: z.ZodType<KnotRecipe> = z
  .strictObject({
    method: z.unknown(),
    options: z.unknown().optional(),
    seed: z.unknown().optional(),
    parameters: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.array(z.number()).min(1)))),
  })
  .transform(({ parameters, ...others }): unknown => ({ ...mapValues(parameters, asWritten), ...others }))
  .pipe(carryingMethod(knotRecipeSchemaWith));

/** One of mergekit's is kept as it is written. */
const mergekitSchema: z.ZodType<MergekitGiven> = z.strictObject({
  mergekit: z.custom<MergekitGiven["mergekit"]>((value) => mergekitRecipeSchema.safeParse(value).success, {
    error: "expected a recipe of mergekit's",
  }),
});

const exportedSchema: z.ZodType<ExportedGiven> = z.strictObject({ exported: exportedRecipeSchema });

const rowsSchema: z.ZodType<RowSource> = z.union([
  z.array(pathSchema).min(1),
  z.strictObject({
    dataset: z.string().min(1),
    config: z.string().min(1),
    split: z.string().min(1).exactOptional(),
  }),
]);

const budgetSchema: z.ZodType<Budget> = z.union([
  z.strictObject({ seconds: z.number().positive() }),
  z.strictObject({ evaluations: evaluationsSchema }),
]);

/** A journal is read without the plugins of its run: what they provide is known when they are loaded to go on. */
const ANY_NAMES = { formats: "any", optimizers: "any", engines: "any" } as const;

const taskSchema = taskSchemaWith(ANY_NAMES);

const packedSchema = z.string().refine((text) => unpack(text)?.every(Number.isFinite) ?? false, {
  error: "expected finite f32 numbers in base64, found others",
});

/** Whether the distribution is one of the genes is known where these are. */
const takenSchema = z.strictObject({
  recipe: nameSchema,
  splitSeed: z.int().min(0),
  learnt: z.strictObject({ mean: packedSchema, covariance: packedSchema }).exactOptional(),
});

/** An experiment as `loadExperiment` gives it, after JSON. */
const experimentSchema: z.ZodType<Experiment> = z
  .strictObject({
    // That of the file where it names none, whatever a file may be called.
    name: z.string().min(1).max(255),
    plugins: z
      .array(z.strictObject({ name: z.string().regex(PLUGIN_WORD), path: pathSchema }))
      .min(1)
      .exactOptional(),
    base: pathSchema,
    experts: z.array(z.strictObject({ name: nameSchema, path: pathSchema })).min(1),
    tokenizer: z.string().exactOptional(),
    space: spaceSchema,
    recipes: z.record(nameSchema, z.union([mergekitSchema, exportedSchema, recipeSchema])).exactOptional(),
    start: startSchema.extend({ taken: takenSchema }).exactOptional(),
    tasks: z
      .array(
        z.strictObject({
          name: nameSchema,
          rows: rowsSchema,
          guard: rowsSchema.exactOptional(),
          weight: taskSchema.shape.weight,
          format: taskSchema.shape.format,
          // Journals of before there was a choice do not say.
          loss: z.enum(choiceLossNames).default("softmax"),
        }),
      )
      .min(1),
    search: searchSchemaWith(ANY_NAMES),
    budget: budgetSchema,
    engine: engineSchemaWith(ANY_NAMES),
    precision: z.enum(precisions),
    seed: z.int().min(0),
  })
  .check(checkNames, (payload) => {
    const { recipes, start, experts, space, search, tasks, tokenizer = "base" } = payload.value;
    const noPolicy = whyNoPolicy(
      tokenizer,
      experts.map(({ name }) => name),
    );
    if (noPolicy !== undefined)
      payload.issues.push({ code: "custom", input: tokenizer, path: ["tokenizer"], message: noPolicy });
    const wrongCount = space.method !== "stack" && whyNotMerged(space.method, experts.length);
    if (wrongCount) payload.issues.push({ code: "custom", input: experts, path: ["experts"], message: wrongCount });
    const noPopulation = whyNoPopulation(space, search);
    if (noPopulation)
      payload.issues.push({ code: "custom", input: search, path: ["search", "population"], message: noPopulation });
    if (start && !Object.hasOwn(recipes ?? {}, start.taken.recipe))
      payload.issues.push({ code: "custom", input: start, path: ["start"], message: "expected the name of a recipe" });
    const noFront = whyNoFront(space, search, tasks.length);
    if (noFront)
      payload.issues.push({ code: "custom", input: search, path: ["search", noFront.option], message: noFront.why });
    if (recipes) checkRecipes({ ...payload, value: { recipes, experts: mapNames(experts) } });
  });

/** The experiment in the journal of a run; a UserError that names the folder where it is none. */
export function recordedExperiment(folder: string, found: unknown): Experiment {
  const parsed = experimentSchema.safeParse(found, { error: expectation, reportInput: true });
  if (parsed.success) return parsed.data;
  throw new UserError(
    `${folder}: the experiment in its journal cannot be one: ${firstFaultOf(parsed.error.issues)}; restore the journal from a copy or start a new run`,
  );
}

function checkNames({ value, issues }: z.core.ParsePayload<Pick<Experiment, "experts" | "tasks">>): void {
  for (const key of ["experts", "tasks"] as const) {
    const names = value[key].map(({ name }) => name);
    const taken = key === "experts" ? [BASE, ...names] : names;
    if (new Set(taken).size === taken.length) continue;
    issues.push({ code: "custom", input: value, path: [key], message: "expected every name once" });
  }
}

function mapNames(experts: Experiment["experts"]): Record<string, string> {
  return Object.fromEntries(experts.map(({ name, path }) => [name, path]));
}

type ByExpert = Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;

function asWritten(experts: ByExpert): Record<string, unknown> {
  return mapValues(experts, (groups) => mapValues(groups, (knots) => (knots.length === 1 ? knots[0] : knots)));
}

function mapValues<T, Result>(mapping: Readonly<Record<string, T>>, map: (value: T) => Result): Record<string, Result> {
  return Object.fromEntries(Object.entries(mapping).map(([key, value]) => [key, map(value)]));
}
