import { basename, dirname, extname, resolve } from "node:path";
import type { z } from "zod";
import { anyOf } from "../config/expectation.ts";
import { loadYaml } from "../config/load-yaml.ts";
import { shippedFile } from "../config/shipped-file.ts";
import { UserError } from "../errors.ts";
import type { Experiment, RowSource, SearchOptions, TaskFiles } from "./experiment.ts";
import { experimentSchema, type rowsSchema, type taskSchema } from "./experiment-schema.ts";
import { type GivenParents, type GivenRecipe, loadGivenRecipe } from "./given-recipe.ts";
import { findModel } from "./model-name.ts";
import { namedOptimizer, optimizers } from "../search/optimizers.ts";
import { whyNotMerged } from "../space/expert-count.ts";
import { type AnySpace, loadSpace } from "../space/spaces.ts";

/** Reads an experiment file, or the shipped one of a name, and the search space it names; faults are errors at their line and column. */
export async function loadExperiment(given: string): Promise<Experiment> {
  const path = shippedFile(given, "", "experiment") ?? given;
  const file = await loadYaml(path, experimentSchema);
  const absolute = (relative: string): string => resolve(dirname(path), relative);
  const spaceFile = (text: string): string => shippedFile(text, dirname(path), "search space") ?? absolute(text);
  const model = (text: string): string => {
    const found = findModel(text, dirname(path));
    return "folder" in found ? found.folder : text;
  };
  const space = typeof file.space === "string" ? await loadSpace(spaceFile(file.space)) : file.space;
  checkAlgorithm(path, space, file.search);
  const noPopulation = whyNoPopulation(space, file.search);
  if (noPopulation) throw new UserError(`${path}: search.population: ${noPopulation}`);
  const wrongCount = space.method !== "stack" && whyNotMerged(space.method, Object.keys(file.experts).length);
  if (wrongCount) throw new UserError(`${path}: space: ${wrongCount}`);
  const parents = {
    base: model(file.base),
    experts: Object.entries(file.experts).map(([name, text]) => ({ name, path: model(text) })),
  };
  const { recipes, ...others } = file;
  return {
    ...others,
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

/** Why a search of a space has no population to be given, or undefined where it has one or none is given. */
export function whyNoPopulation(
  { method }: Pick<AnySpace, "method">,
  { algorithm, population }: Pick<SearchOptions, "algorithm" | "population">,
): string | undefined {
  const named = namedOptimizer(algorithm, method === "stack");
  if (population === "auto" || optimizers[named].population !== "one point") return undefined;
  return `a ${named} is one point and has no population; leave it out, or name an algorithm that has one`;
}
