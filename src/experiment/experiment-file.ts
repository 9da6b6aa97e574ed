import { basename, dirname, extname, resolve } from "node:path";
import { z } from "zod";
import { durationSchema } from "../config/duration.ts";
import { exactlyOneKey } from "../config/exactly-one-key.ts";
import { anyOf } from "../config/expectation.ts";
import { loadYaml } from "../config/load-yaml.ts";
import { engineNames, type EngineName } from "../device/open-device.ts";
import { UserError } from "../errors.ts";
import { type GivenParents, type GivenRecipe, loadGivenRecipe } from "./given-recipe.ts";
import { findModel } from "./model-name.ts";
import { parseReference } from "../hub/api/reference.ts";
import { namedOptimizer, type OptimizerName, optimizers } from "../search/optimizers.ts";
import { type ChoiceLossName, choiceLossNames, defaultLoss } from "../tasks/row-loss.ts";
import { whyNotMerged } from "../space/expert-count.ts";
import { checkRecipes, knotRecipeSchema } from "../space/knot-recipe.ts";
import { whyNoPolicy } from "./tokenizer-policy.ts";
import { type AnySpace, anySpaceSchema, loadSpace } from "../space/spaces.ts";

/**
 * A whole search as plain data: every default filled in. A model is an absolute path of a folder, or `org/name@revision`
 * of the Hugging Face Hub.
 */
export interface Experiment {
  readonly name: string;
  /** The base model: the experts' common ancestor, whose configuration the merged model takes. */
  readonly base: string;
  readonly experts: readonly Expert[];
  /** Whose tokens the merged model has: `base`, which it is unless given, `union`, or the name of an expert. */
  readonly tokenizer?: string;
  readonly space: AnySpace;
  /** Known merges by name: scored beside the other baselines, and starting points of a search with their method. */
  readonly recipes?: Readonly<Record<string, GivenRecipe>>;
  readonly tasks: readonly TaskFiles[];
  readonly search: SearchOptions;
  readonly budget: Budget;
  readonly engine: EngineName;
  /** Of matrix products; merging computes in f32. */
  readonly precision: Precision;
  readonly seed: number;
}

/** A model to be merged: its name in genes and reports, and its folder or Hub name. */
export interface Expert {
  readonly name: string;
  readonly path: string;
}

/** Where rows are: files with absolute paths, read one after another, or a split of a dataset of the Hub. */
export type RowSource = readonly string[] | DatasetSource;

export interface DatasetSource {
  /** `org/name@revision` */
  readonly dataset: string;
  readonly config: string;
  /** May be left out where the configuration has one split only. */
  readonly split?: string;
}

/** Where the validation rows of a task are. */
export interface TaskFiles {
  readonly name: string;
  /** The rows that the search sees. */
  readonly rows: RowSource;
  /** The rows that judge the winner; without them they are split off `rows`. */
  readonly guard?: RowSource;
  /** Share in the loss, relative to the other tasks. */
  readonly weight: number;
  /** Of each row, if they are choices. */
  readonly loss: ChoiceLossName;
}

export interface SearchOptions {
  readonly algorithm: OptimizerName | "auto";
  /** Candidates per generation; "auto" follows from the number of genes. */
  readonly population: number | "auto";
  /** Part of the rows that a generation is scored on; "auto" follows from the budget. */
  readonly rowFraction: number | "auto";
  /** Whether the best baselines are among the first candidates. */
  readonly seedFromBaselines: boolean;
}

/** What ends a run: wall-clock time, which covers everything up to the export, or evaluations of candidates. */
export type Budget = { readonly seconds: number } | { readonly evaluations: number };

export const precisions = ["auto", "f32", "bf16", "mixed"] as const;

export type Precision = (typeof precisions)[number];

/** What a command line may change in an experiment. */
export interface Overrides {
  readonly budget?: Budget | undefined;
  readonly engine?: EngineName | undefined;
  readonly seed?: number | undefined;
}

/** Reads an experiment file and the search space it names; faults are errors at their line and column. */
export async function loadExperiment(path: string): Promise<Experiment> {
  const file = await loadYaml(path, experimentSchema);
  const absolute = (relative: string): string => resolve(dirname(path), relative);
  const model = (text: string): string => {
    const found = findModel(text, dirname(path));
    return "folder" in found ? found.folder : text;
  };
  const space = typeof file.space === "string" ? await loadSpace(absolute(file.space)) : file.space;
  checkAlgorithm(path, space, file.search);
  const noPopulation = whyNoPopulation(space, file.search);
  if (noPopulation) throw new UserError(`${path}: search.population: ${noPopulation}`);
  const wrongCount = space.method !== "stack" && whyNotMerged(space.method, Object.keys(file.experts).length);
  if (wrongCount) throw new UserError(`${path}: space: ${wrongCount}`);
  const parents = {
    base: model(file.base),
    experts: Object.entries(file.experts).map(([name, text]) => ({ name, path: model(text) })),
  };
  const { recipes, ...given } = file;
  return {
    ...given,
    name: file.name ?? basename(path, extname(path)),
    ...parents,
    ...(recipes && { recipes: await readRecipes(recipes, parents, absolute) }),
    space,
    tasks: Object.entries(file.tasks).map(([name, task]) => taskFiles(name, task, absolute)),
  };
}

/** Those that are files of mergekit's are read. */
async function readRecipes(
  recipes: NonNullable<z.output<typeof experimentSchema>["recipes"]>,
  parents: GivenParents,
  absolute: (path: string) => string,
): Promise<Readonly<Record<string, GivenRecipe>>> {
  const read = Object.entries(recipes).map(
    async ([name, recipe]) =>
      [name, typeof recipe === "string" ? await loadGivenRecipe(absolute(recipe), parents) : recipe] as const,
  );
  return Object.fromEntries(await Promise.all(read));
}

/** Columns are more genes than a search without derivatives can tell apart, and choices of layers have none. */
function checkAlgorithm(path: string, space: AnySpace, { algorithm }: SearchOptions): void {
  const isStack = space.method === "stack";
  if (!isStack && !space.columns) return;
  const able = Object.entries(optimizers).flatMap(([name, { usesGradients }]) =>
    usesGradients === isStack ? [] : [name],
  );
  if (able.includes(namedOptimizer(algorithm, isStack))) return;
  const [which, why, other] = isStack
    ? ["without gradients", "stacks layers", "of another method"]
    : ["that uses gradients", "has columns", "without columns"];
  throw new UserError(
    `${path}: search.algorithm: expected one ${which}, ${anyOf(able)}, since the search space ${why}, found ${algorithm}; leave it out, or take a space ${other}`,
  );
}

function taskFiles(
  name: string,
  { rows, guard, ...options }: z.output<typeof taskSchema>,
  absolute: (path: string) => string,
): TaskFiles {
  const source = (given: z.output<typeof rowsSchema>): RowSource => {
    if (typeof given === "string") return [absolute(given)];
    return "dataset" in given ? { config: name, ...given } : given.map(absolute);
  };
  return { name, rows: source(rows), ...(guard === undefined ? {} : { guard: source(guard) }), ...options };
}

/** The experiment with the overrides that are given; both stay as they were. */
export function withOverrides(experiment: Experiment, { budget, engine, seed }: Overrides): Experiment {
  return {
    ...experiment,
    budget: budget ?? experiment.budget,
    engine: engine ?? experiment.engine,
    seed: seed ?? experiment.seed,
  };
}

export const pathSchema = z.string("a path").min(1, "a path");
// Names become keys of objects: numbers would be reordered, and every object has a constructor and a few keys more.
export const nameSchema = z
  .string()
  .regex(/^(?!\d+$)[A-Za-z0-9_][\w.-]*$/, "a name of letters, digits, _, - and ., not just digits")
  .max(100)
  .refine((name) => !(name in {}), {
    error: ({ input }) => `"${String(input)}" is a name of JavaScript's own; take another`,
  });

/** A file of mergekit's. */
const recipePathSchema = z.string("a file of mergekit's, or a mapping").min(1, "a file of mergekit's");

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

const rowsSchema = z.union([
  pathSchema,
  z.array(pathSchema).min(1),
  z.strictObject({
    dataset: z.string().refine((text) => parseReference(text), "expected a dataset as org/name or org/name@revision"),
    config: z.string().min(1).exactOptional(),
    split: z.string().min(1).exactOptional(),
  }),
]);

export const taskSchema = z.strictObject({
  rows: rowsSchema,
  guard: rowsSchema.optional(),
  weight: z.number().positive().min(1e-6).max(1e6).default(1),
  loss: z.enum(choiceLossNames).default(defaultLoss),
});

/** As many as pay off only where a candidate takes no time at all. */
const MAX_POPULATION = 10_000;

export const searchSchema = z.strictObject({
  algorithm: z.enum(["auto", ...(Object.keys(optimizers) as OptimizerName[])]).default("auto"),
  population: z.union([z.literal("auto"), z.int().min(2).max(MAX_POPULATION)]).default("auto"),
  rowFraction: z.union([z.literal("auto"), z.number().min(0.05).max(1)]).default("auto"),
  seedFromBaselines: z.boolean().default(true),
});

/** Why a search of a space has no population to be given, or undefined where it has one or none is given. */
export function whyNoPopulation(
  { method }: Pick<AnySpace, "method">,
  { algorithm, population }: Pick<SearchOptions, "algorithm" | "population">,
): string | undefined {
  const named = namedOptimizer(algorithm, method === "stack");
  if (population === "auto" || optimizers[named].population !== "one point") return undefined;
  return `a ${named} is one point and has no population; leave it out, or name an algorithm that has one`;
}

/** Candidates that a run may score. */
export const evaluationsSchema: z.ZodType<number> = z.int().min(1).max(1e9);

const budgetSchema = exactlyOneKey({ time: durationSchema, evaluations: evaluationsSchema }).transform(
  ({ key, value }): Budget => (key === "time" ? { seconds: value } : { evaluations: value }),
);

const experimentSchema = z
  .strictObject({
    name: nameSchema.optional(),
    base: pathSchema,
    experts: expertsSchema,
    tokenizer: z.string().exactOptional(),
    space: z.union([pathSchema, anySpaceSchema]),
    recipes: z.record(nameSchema, z.union([recipePathSchema, knotRecipeSchema])).exactOptional(),
    tasks: namedMapping(taskSchema, "task"),
    search: searchSchema.prefault({}),
    budget: budgetSchema,
    engine: z.enum(engineNames).default("auto"),
    precision: z.enum(precisions).default("auto"),
    seed: z.int().min(0).default(1),
  })
  .check(checkRecipes)
  .check(({ value: { tokenizer, experts }, issues }) => {
    const message = tokenizer === undefined ? undefined : whyNoPolicy(tokenizer, Object.keys(experts));
    if (message !== undefined) issues.push({ code: "custom", input: tokenizer, path: ["tokenizer"], message });
  });

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
