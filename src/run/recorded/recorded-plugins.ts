import { UserError } from "../../errors.ts";
import type { Experiment } from "../../experiment/experiment.ts";
import type { JournalRecord } from "../../journal/records.ts";
import { moduleDigest, type Plugins, pluginsAt } from "../../plugins/load-plugins.ts";

/**
 * Loads the plugins of a recorded run, once their files are proved to be those that it began with: code that was changed since
 * is not run.
 */
export async function recordedPlugins(
  folder: string,
  records: readonly JournalRecord[],
  { plugins = [] }: Pick<Experiment, "plugins">,
): Promise<Plugins> {
  const [start] = records;
  for (const { name, path } of plugins) {
    const expected = start?.type === "start" ? start.identity[`plugin ${name}`] : undefined;
    const found = await moduleDigest(path);
    if (found === expected) continue;
    const before = expected === undefined ? "none" : expected.slice(0, 12);
    throw new UserError(
      `${folder}: plugin ${name}: expected ${before} as when the run began, found ${found.slice(0, 12)} in ${path}; restore what was changed, or start a new run`,
    );
  }
  return pluginsAt(plugins);
}
