import { basename, dirname, extname, resolve } from "node:path";
import { anyOf } from "../config/expectation.ts";
import { type Fault, faultAt } from "../config/faults.ts";
import { loadPlacedYaml } from "../config/load-yaml.ts";
import { shippedFile } from "../config/shipped-file.ts";
import { UserError } from "../errors.ts";
import { loadPlugins, noPlugins, optimizerNamed, pluginFile, type Plugins } from "../plugins/load-plugins.ts";
import { namedOptimizer, optimizers } from "../search/optimizers.ts";
import { whyNotMerged } from "../space/expert-count.ts";
import { type AnySpace, loadSpace } from "../space/spaces.ts";
import type { Experiment, SearchOptions } from "./experiment.ts";
import { type ExperimentFile, experimentSchemaWith, pluginsInFileSchema } from "./experiment-schema.ts";
import { type GivenParents, type GivenRecipe, loadGivenRecipe } from "./given-recipe.ts";
import { placesIn } from "./places-in-file.ts";
import { whyNoFront } from "./why-no-front.ts";

/**
 * Reads an experiment file, or the shipped one of a name, and the search space it names. Faults of the file are one error, each
 * at its line and column, and so are paths that lead nowhere.
 */
export async function loadExperiment(given: string): Promise<Experiment> {
  const path = shippedFile(given, "", "experiment") ?? given;
  const plugins = await pluginsInFile(path);
  const names = {
    formats: [...plugins.formats.keys()],
    optimizers: [...plugins.optimizers.keys()],
    methods: plugins.methods,
    engines: [...plugins.engines.keys()],
  };
  const { value: file, written, errorOf } = await loadPlacedYaml(path, experimentSchemaWith(names));
  const { faults, spaceFile, ...places } = placesIn(file, dirname(path), Array.isArray(written["experts"]));
  const ownSpace = typeof file.space === "string" ? undefined : file.space;
  const found = [...faults, ...(ownSpace ? faultsOfSpace(ownSpace, file, plugins) : [])];
  if (found.length > 0) throw errorOf(found);
  const space = ownSpace ?? (await loadSpace(spaceFile ?? "", plugins.methods));
  const unfit = faultsOfSpace(space, file, plugins);
  if (unfit.length > 0) throw errorOf(unfit);
  const { recipes, start, plugins: _, ...others } = file;
  return {
    ...others,
    name: file.name ?? basename(path, extname(path)),
    ...(plugins.modules.length > 0 && { plugins: plugins.modules.map((own) => ({ name: own.name, path: own.path })) }),
    ...places,
    ...(recipes && { recipes: await readRecipes(recipes, places, dirname(path)) }),
    ...(start && { start: { ...start, run: resolve(dirname(path), start.run) } }),
    space,
  };
}

/** The plugins that a file names, loaded before it is held against what they provide. */
async function pluginsInFile(path: string): Promise<Plugins> {
  const { value, errorOf } = await loadPlacedYaml(path, pluginsInFileSchema);
  const faults: Fault[] = [];
  const at = async (text: string, i: number): Promise<string | undefined> => {
    try {
      const file = pluginFile(text, dirname(path));
      await loadPlugins([file]);
      return file;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      faults.push(faultAt(["plugins", i], error.message));
      return undefined;
    }
  };
  const files = await Promise.all((value.plugins ?? []).map(at));
  if (faults.length > 0) throw errorOf(faults);
  try {
    return await loadPlugins(files.filter((file) => file !== undefined));
  } catch (error) {
    throw error instanceof UserError ? errorOf([faultAt(["plugins"], error.message)]) : error;
  }
}

/** What a search space does not allow of its experiment. */
function faultsOfSpace(space: AnySpace, { search, experts, tasks }: ExperimentFile, plugins: Plugins): Fault[] {
  const noFront = whyNoFront(space, search, Object.keys(tasks).length);
  const wrongCount = space.method === "stack" ? undefined : whyNotMerged(space.method, Object.keys(experts).length);
  const reasons = [
    { at: ["search", "algorithm"], why: whyNoAlgorithm(space, search, plugins) },
    { at: ["search", "population"], why: whyNoPopulation(space, search, plugins) },
    { at: ["search", noFront?.option ?? ""], why: noFront?.why },
    { at: ["space"], why: wrongCount },
  ];
  return reasons.flatMap(({ at, why }) => (why === undefined ? [] : [faultAt(at, why)]));
}

/** Those that are files of mergekit's are read. */
async function readRecipes(
  recipes: NonNullable<ExperimentFile["recipes"]>,
  parents: GivenParents,
  folder: string,
): Promise<Readonly<Record<string, GivenRecipe>>> {
  const read = Object.entries(recipes).map(
    async ([name, recipe]) =>
      [name, typeof recipe === "string" ? await loadGivenRecipe(resolve(folder, recipe), parents) : recipe] as const,
  );
  return Object.fromEntries(await Promise.all(read));
}

/** Columns are more genes than a search without derivatives can tell apart, and choices of layers have none. */
function whyNoAlgorithm(space: AnySpace, { algorithm }: SearchOptions, plugins: Plugins): string | undefined {
  const isStack = space.method === "stack";
  if (!isStack && !space.columns) return undefined;
  const able: string[] = [...Object.entries(optimizers), ...plugins.optimizers].flatMap(([name, { usesGradients }]) =>
    usesGradients === isStack ? [] : [name],
  );
  if (able.includes(namedOptimizer(algorithm, isStack))) return undefined;
  const [which, why, other] = isStack
    ? ["without gradients", "stacks layers", "of another method"]
    : ["that uses gradients", "has columns", "without columns"];
  return `expected one ${which}, ${anyOf(able)}, since the search space ${why}, found ${algorithm}; leave it out, or take a space ${other}`;
}

/** Why a search of a space has no population to be given, or undefined where it has one or none is given. */
export function whyNoPopulation(
  { method }: Pick<AnySpace, "method">,
  { algorithm, population }: Pick<SearchOptions, "algorithm" | "population">,
  plugins: Pick<Plugins, "optimizers"> = noPlugins,
): string | undefined {
  const named = namedOptimizer(algorithm, method === "stack");
  if (population === "auto" || optimizerNamed(named, plugins)?.population !== "one point") return undefined;
  return `a ${named} is one point and has no population; leave it out, or name an algorithm that has one`;
}
