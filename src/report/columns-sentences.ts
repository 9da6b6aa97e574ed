import type { ScoredModel } from "../journal/records.ts";
import { COLUMNS_FILE } from "../model-folder/description-files.ts";

/** What a reader should know of a merge whose coefficients differ among the input columns of its tensors; of others nothing. */
export function columnsSentences(recipe: ScoredModel["recipe"]): string[] {
  const columns = "columns" in recipe ? Object.values(recipe.columns ?? {}) : [];
  const tensors = new Set(columns.flatMap(Object.keys)).size;
  const packed = columns.flatMap(Object.values).flatMap((experts) => Object.values(experts as Record<string, string>));
  const numbers = packed.reduce((sum, text) => sum + Buffer.byteLength(text, "base64") / 4, 0);
  if (numbers === 0) return [];
  return [
    `Each input column of ${tensors} tensors has a coefficient of its own for each expert, in the place of the tensor's: ${numbers.toLocaleString("en-US")} numbers. An export has them in \`${COLUMNS_FILE}\`, of which \`safetensors.torch.load_file\` makes a dictionary.`,
    "mergekit has one coefficient for a tensor, so an export has no `mergekit_config.yml`. The class that `evomerge export --starter-kit` writes makes the same weights of the parents.",
  ];
}
