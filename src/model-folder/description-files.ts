const DESCRIPTION_FILES = ["README.md", "mergekit_config.yml", "recipe.json"] as const;

/** What an export says of its weights, in a file beside them; of others it is not true. */
export type DescriptionFile = (typeof DESCRIPTION_FILES)[number];

const names: ReadonlySet<string> = new Set(DESCRIPTION_FILES);

/** Whether a file is one of those. */
export function isDescription(name: string): boolean {
  return names.has(name);
}
