import { basename, dirname } from "node:path";
import { parseReference } from "../../hub/api/reference.ts";
import { pathWithRevision, referenceText } from "../../mergekit/model-reference.ts";
import { planMerge } from "../../mergekit/plan-merge.ts";
import {
  checkMergekitRecipe,
  loadMergekitRecipe,
  type MergekitRecipe,
  type MergekitRecipeInput,
} from "../../mergekit/recipe-file.ts";
import { recipeText } from "../../mergekit/recipe-text.ts";
import { modelsOf } from "../../mergekit/sliced.ts";
import { checkTensors } from "./check-tensors.ts";
import type { RecipeVocabulary } from "./one-vocabulary.ts";
import { modelIn } from "./open-models.ts";
import type { RecipeToMerge } from "./recipe-to-merge.ts";

/** A recipe of mergekit's, in a file or given in code, which names its models as seen from the current folder. */
export async function mergekitRecipe(given: string | MergekitRecipeInput): Promise<RecipeToMerge> {
  const recipe = typeof given === "string" ? await loadMergekitRecipe(given) : checkMergekitRecipe(given);
  const folder = typeof given === "string" ? dirname(given) : ".";
  const models = modelsOf(recipe).map(
    ({ adapter, ...model }) =>
      [
        referenceText({ ...model, ...(adapter && { adapter }) }),
        {
          model: modelIn(pathWithRevision(model), folder),
          ...(adapter && { adapter: modelIn(pathWithRevision(adapter), folder) }),
        },
      ] as const,
  );
  const [donor = ""] = models.map(([name]) => name);
  // A folder of this machine is nobody's business elsewhere.
  const text = recipeText(recipe, (path) => (parseReference(path) ? path : basename(path)));
  return {
    path: typeof given === "string" ? given : undefined,
    models: new Map(models),
    donor,
    chatTemplate: recipe.chat_template,
    tokenizer: vocabularyOf(recipe),
    method: recipe.merge_method,
    text,
    plan: (headers, options) => {
      if (!recipe.base_model && models.length > 1)
        options.onNotice?.(
          `the recipe has no base_model: configuration and tokenizer are those of its first model, ${donor}; mergekit takes those of any`,
        );
      for (const header of headers.values()) checkTensors(header, options.onNotice);
      return planMerge(recipe, headers, options);
    },
    files: () => new Map([["mergekit_config.yml", text]]),
  };
}

function vocabularyOf({ tokenizer_source, tokenizer }: MergekitRecipe): RecipeVocabulary | undefined {
  const source = tokenizer_source ?? tokenizer?.source;
  if (source === undefined) return undefined;
  return { source: typeof source === "string" ? source : referenceText(source), padTo: tokenizer?.pad_to_multiple_of };
}
