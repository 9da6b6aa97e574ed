import { Document, isMap, isSeq, visit } from "yaml";
import type { ModelPath, ModelReference } from "./model-reference.ts";
import type { MergekitRecipe } from "./recipe-file.ts";

/** A recipe as a file that is read as the same recipe, with other paths of models where `pathOf` gives them. */
export function recipeText(recipe: MergekitRecipe, pathOf: (path: string) => string = (path) => path): string {
  const text = (model: ModelReference): unknown => writtenReference(model, pathOf);
  const document = new Document(withModels(recipe, text), { aliasDuplicateObjects: false });
  visit(document, {
    Collection(_, node) {
      node.flow = isMap(node) ? node.has("filter") || node.has("path") : isSeq(node) && !node.items.some(isMap);
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** A recipe, or a part of one, as data with something else in the place of each model. */
export function withModels(value: unknown, write: (model: ModelReference) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => withModels(item, write));
  if (typeof value !== "object" || value === null) return value;
  // No other mapping of a recipe has a path.
  if ("path" in value) return write(value as ModelReference);
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.map(([key, inner]) => [key, withModels(inner, write)]));
}

/** A text, unless signs of the model would be read for a revision or an adapter. */
function writtenReference({ adapter, ...model }: ModelReference, pathOf: (path: string) => string): unknown {
  const parts = [model, ...(adapter ? [adapter] : [])].map((part) => ({ ...part, path: pathOf(part.path) }));
  if (parts.every(({ path, revision = "" }) => !/[@+]/.test(path) && !revision.includes("+")))
    return parts
      .map(({ path, revision }: ModelPath) => (revision === undefined ? path : `${path}@${revision}`))
      .join("+");
  return { model: parts[0], ...(parts[1] && { lora: parts[1] }) };
}
