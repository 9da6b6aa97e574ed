/** Modules that an experiment names and a person chose to run. */
import { createRequire } from "node:module";
import { isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UserError } from "../errors.ts";
import type { PluginName } from "../files/plugin-name.ts";
import { readFileWithin } from "../files/read-file.ts";
import { sha256Of } from "../files/sha256.ts";
import type { FormulaMethod } from "../merge/formula-method.ts";
import { type FormulaMethods, formulaMethodSchema } from "../merge/formula-method-schema.ts";
import { type OptimizerKind, type OptimizerName, recordedOptimizer } from "../search/optimizers.ts";
import type { RowFormat } from "../tasks/row-formats.ts";
import { messageOf } from "./call-plugin.ts";
import type { EnginePlugin, MethodPlugin, Plugin } from "./plugin.ts";
import { pluginOptimizer } from "./plugin-optimizer.ts";
import { pluginSchema } from "./plugin-schema.ts";
import { pluginFormat } from "./plugin-task.ts";

/** A plugin of an experiment: its name, and the file of its module. */
export interface PluginModule {
  readonly name: string;
  readonly path: string;
}

/** What an experiment's plugins provide, by the names that it calls that by. */
export interface Plugins {
  readonly modules: readonly (PluginModule & { readonly version: string | undefined; readonly sha256: string })[];
  readonly formats: ReadonlyMap<PluginName, RowFormat>;
  readonly optimizers: ReadonlyMap<PluginName, OptimizerKind>;
  readonly methods: FormulaMethods;
  readonly engines: ReadonlyMap<PluginName, EnginePlugin>;
}

/** What those of an experiment without plugins are. */
export const noPlugins: Plugins = {
  modules: [],
  formats: new Map(),
  optimizers: new Map(),
  methods: new Map(),
  engines: new Map(),
};

const MODULE = { what: "the module of a plugin", maxBytes: 2 ** 24 };

/**
 * The file that an experiment in a folder means by `./mine.mjs` or by the name of a package that is installed there. A UserError where there is none.
 */
export function pluginFile(text: string, folder: string): string {
  if (/^\.{0,2}\//.test(text) || isAbsolute(text) || /\.[cm]?js$/.test(text)) return resolve(folder, text);
  try {
    return createRequire(join(resolve(folder), "experiment.yaml")).resolve(text);
  } catch {
    throw new UserError(`found no package ${text} that is installed for ${resolve(folder)}; a file begins with ./`);
  }
}

/** Loads the modules at these paths, each in the very bytes that are hashed. */
export async function loadPlugins(paths: readonly string[]): Promise<Plugins> {
  const loaded = await Promise.all(paths.map(loadPlugin));
  for (const [i, { plugin }] of loaded.entries()) {
    const other = loaded.slice(0, i).find((one) => one.plugin.name === plugin.name);
    if (other)
      throw new UserError(
        `${paths[i]}: expected a plugin with a name of its own, found "${plugin.name}", as ${other.path} is called`,
      );
  }
  const named = <Own, Made>(
    own: (plugin: Plugin) => Readonly<Record<string, Own>> | undefined,
    make: (name: PluginName, own: Own) => Made,
  ): Map<PluginName, Made> =>
    new Map(
      loaded.flatMap(({ plugin }) =>
        Object.entries(own(plugin) ?? {}).map(([key, value]) => {
          const name: PluginName = `${plugin.name}/${key}`;
          return [name, make(name, value)] as const;
        }),
      ),
    );
  return {
    modules: loaded.map(({ path, sha256, plugin: { name, version } }) => ({ name, path, sha256, version })),
    formats: named(({ tasks }) => tasks, pluginFormat),
    optimizers: named(({ optimizers }) => optimizers, pluginOptimizer),
    methods: named(({ methods }) => methods, pluginMethod),
    engines: named(
      ({ engines }) => engines,
      (_, own) => own,
    ),
  };
}

/** A method apart from its module, with its formula as recipes show it. */
function pluginMethod(name: string, { formula, ...own }: MethodPlugin): FormulaMethod {
  const lines = formula.split("\n").map((line) => line.trim());
  return formulaMethodSchema.parse({ name, ...own, formula: lines.filter((line) => line !== "").join("\n") });
}

/** A known optimizer or one of plugins. */
export function optimizerNamed(
  name: OptimizerName | PluginName,
  { optimizers: others }: Pick<Plugins, "optimizers">,
): OptimizerKind | undefined {
  return recordedOptimizer(name) ?? others.get(name as PluginName);
}

/** Those of an experiment; a UserError where a module has another name than the experiment says. */
export async function pluginsAt(modules: readonly PluginModule[]): Promise<Plugins> {
  if (modules.length === 0) return noPlugins;
  const plugins = await loadPlugins(modules.map(({ path }) => path));
  for (const [i, { name, path }] of modules.entries()) {
    const own = plugins.modules[i]?.name;
    if (own !== name) throw new UserError(`${path}: expected the plugin ${name}, found one that is called ${own}`);
  }
  return plugins;
}

/** SHA-256 of a module's file; what it imports is not looked at. */
export async function moduleDigest(path: string): Promise<string> {
  return sha256Of(await readFileWithin(path, MODULE));
}

async function loadPlugin(
  path: string,
): Promise<{ readonly path: string; readonly sha256: string; readonly plugin: Plugin }> {
  const sha256 = await moduleDigest(path);
  let plugin: unknown;
  let parsed: ReturnType<typeof pluginSchema.safeParse>;
  try {
    // A module that was changed is another one, also for a process that has loaded it before.
    ({ default: plugin } = (await import(`${pathToFileURL(path).href}?sha256=${sha256}`)) as { default?: unknown });
    // Members that are getters run code of the plugin.
    parsed = pluginSchema.safeParse(plugin);
  } catch (error) {
    throw new UserError(`${path}: cannot be loaded as a plugin: ${messageOf(error)}`, { cause: error });
  }
  if (parsed.success) return { path, sha256, plugin: plugin as Plugin };
  const [issue] = parsed.error.issues;
  const where = ["default", ...(issue?.path ?? [])].join(".");
  throw new UserError(
    `${path}: expected a plugin as its default export: ${where}: ${issue?.message ?? "another value"}`,
  );
}
