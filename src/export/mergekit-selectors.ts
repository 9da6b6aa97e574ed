import { curvesOf, type MergeRecipe } from "../merge/recipe.ts";
import { allWeights, type Model, type Selector, type Weight } from "../model/architecture.ts";

/** Weights of a slice that mergekit gives one value: what their names have in common, and one that the others are like in the recipe. */
export interface RecipeSelector extends Pick<Selector, "filter" | "slices" | "module"> {
  readonly like: Weight;
}

/** The model's selectors; one whose weights a recipe tells apart is divided into their kinds. The first that fits a name decides. */
export function selectorsFor(
  { parameters }: MergeRecipe,
  model: Pick<Model, "stages" | "selectors">,
): readonly RecipeSelector[] {
  const weights = allWeights(model);
  const selectorOf = ({ name }: Weight): Selector | undefined =>
    model.selectors.find(({ filter, module }) => name.startsWith(module?.prefix ?? "") && name.includes(filter));
  return model.selectors.flatMap((selector): RecipeSelector[] => {
    const { filter, slices, group, module } = selector;
    const place = { slices, ...(module && { module }) };
    const own = weights.filter((weight) => selectorOf(weight) === selector);
    // A tied head has no weights, but mergekit asks for its settings.
    const [like = weights.find((weight) => weight.group === group && weight.layer === undefined)] = own;
    if (!like) throw new Error(`mergekit: no weight is selected by ${filter}`);
    const areAlike = Object.values(parameters).every((curves) =>
      own.every((weight) => curvesOf(curves, weight) === curvesOf(curves, like)),
    );
    if (areAlike) return [{ ...place, filter, like }];
    const kinds = new Map(own.map((weight) => [weight.tensor, weight]));
    return Array.from(kinds.values(), (kind) => ({
      ...place,
      filter: filterOf(kind, weights, module?.prefix),
      like: kind,
    }));
  });
}

/** A text that is in the names of a weight's kind alone, of those of its module. */
function filterOf({ tensor }: Weight, weights: readonly Weight[], prefix = ""): string {
  const others = weights.filter(({ name, tensor: other }) => other !== tensor && name.startsWith(prefix));
  const kind = tensor.startsWith(prefix) ? tensor.slice(prefix.length) : tensor;
  const filter = [kind, `.${kind}.`, `${kind}.weight`].find((text) => others.every(({ name }) => !name.includes(text)));
  if (filter === undefined) throw new Error(`mergekit: other weights have ${tensor} in their names too`);
  return filter;
}
