import { z } from "zod";
import { type DataFiles, isDataFile } from "./data-files.ts";
import { frontMatter } from "./front-matter.ts";
import { matchesGlob } from "./glob.ts";

const patternsSchema = z.union([z.string().transform((pattern) => [pattern]), z.array(z.string())]);

/** Some seconds' worth, as a thousand patterns and ten thousand files may take. */
const MOST_STEPS = 1e9;

/** Patterns of one split; alone they are the training split, as in the `datasets` library. */
const dataFilesSchema = z.union([
  patternsSchema.transform((path) => [{ split: "train", path }]),
  z.array(z.object({ split: z.string(), path: patternsSchema })),
  z
    .record(z.string(), patternsSchema)
    .transform((splits) => Object.entries(splits).map(([split, path]) => ({ split, path }))),
]);

const cardSchema = z.object({
  configs: z.array(z.object({ config_name: z.string().default("default"), data_files: dataFilesSchema.default([]) })),
});

/**
 * The splits that the front matter of a dataset's card declares under `configs`, each with those of the paths that match
 * its patterns. A UserError for patterns that would take for ever; none for a card that declares nothing, or nothing that can be understood.
 */
export function declaredDataFiles(card: string, paths: readonly string[]): DataFiles[] {
  const { configs } = cardSchema.safeParse(frontMatter(card)).data ?? { configs: [] };
  const files = paths.filter(isDataFile).toSorted();
  const steps = { left: MOST_STEPS };
  return configs
    .flatMap(({ config_name: config, data_files }) =>
      data_files.map(({ split, path: patterns }) => ({
        config,
        split,
        paths: files.filter((path) => patterns.some((pattern) => matchesGlob(pattern, path, steps))),
      })),
    )
    .filter((declared) => declared.paths.length > 0);
}
