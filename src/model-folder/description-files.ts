/**
 * Coefficients of columns, in the format of safetensors. Not under its usual ending: vLLM takes every `*.safetensors` of a
 * folder without an index for weights of the model.
 */
export const COLUMNS_FILE = "columns.st";

const DESCRIPTION_FILES = ["README.md", COLUMNS_FILE, "mergekit_config.yml", "recipe.json"] as const;

/** What an export says of its weights, in a file beside them; of others it is not true. */
export type DescriptionFile = (typeof DESCRIPTION_FILES)[number];

const names: ReadonlySet<string> = new Set(DESCRIPTION_FILES);

/** Whether a file is one of those. */
export function isDescription(name: string): boolean {
  return names.has(name);
}
