import { declarationOf, methodName } from "../merge/declarations.ts";
import { type Columns, type Curve, type Curves, isMerge, type MergeRecipe, type Recipe } from "../merge/recipe.ts";
import type { ParameterSpec } from "../merge/method.ts";
import { UserError } from "../errors.ts";
import { pack, type Packed, unpack } from "../tensor/packed.ts";

/** Parents that a recipe is to be of. */
export interface OtherParents {
  /** Their experts; those that the recipe does not know have no part in it. */
  readonly experts: readonly string[];
  /** What a parent of the recipe is called among them; a UserError where it is none of them. */
  readonly nameOf: (parent: string) => string;
}

/**
 * The same model as a recipe of other parents, among which are all of its own: they may have other names, and an expert more
 * has the weight 0. A UserError where the method has no weight by which an expert can stay out.
 */
export function ofOtherParents(recipe: Recipe, { experts, nameOf }: OtherParents): Recipe {
  if (recipe.method === "passthrough") return { ...recipe, model: nameOf(recipe.model) };
  if (!isMerge(recipe))
    return {
      ...recipe,
      layers: recipe.layers.map((layer) => ({ ...layer, model: nameOf(layer.model) })),
      rest: nameOf(recipe.rest),
    };
  const own = new Map(expertsIn(recipe).map((expert) => [nameOf(expert), expert]));
  const { method, parameters, columns } = recipe;
  const specs = new Map(declarationOf(method).parameters.map((spec) => [spec.name, spec]));
  const added = experts.filter((expert) => !own.has(expert));
  const weight = specs.get("weight");
  if (added.length > 0 && weight?.per !== "expert")
    throw new UserError(
      `${methodName(method)} has no weight by which ${added.join(", ")} could stay out of the merge; begin with the experts that it was found with`,
    );
  const among = <T>(
    byExpert: Readonly<Record<string, T>>,
    filled: (value: number, like: T) => T,
    name: string,
  ): Record<string, T> =>
    Object.fromEntries(
      experts.flatMap((expert): [string, T][] => {
        const known = byExpert[own.get(expert) ?? ""];
        if (known !== undefined) return [[expert, known]];
        const [like] = Object.values(byExpert);
        return like === undefined ? [] : [[expert, withoutPart(specs.get(name), like, filled, experts.length)]];
      }),
    );
  return {
    ...recipe,
    parameters: mapValues(parameters, (curves: Curves, name) =>
      mapValues(curves, (byExpert) => among<Curve>(byExpert, filledCurve, name)),
    ),
    ...(columns && {
      columns: mapValues(columns, (byWeight: Columns, name) =>
        mapValues(byWeight, (byExpert) => among<Packed>(byExpert, filledColumns, name)),
      ),
    }),
  };
}

/** What an expert without a part has of a parameter: no weight, what is the whole merge's, or what is usual. */
function withoutPart<T>(
  spec: ParameterSpec | undefined,
  like: T,
  filled: (value: number, like: T) => T,
  experts: number,
): T {
  if (spec?.per !== "expert") return like;
  if (spec.name === "weight") return filled(0, like);
  return filled(spec.start === "uniform" ? 1 / experts : spec.start, like);
}

function filledCurve(value: number, { layers }: Curve): Curve {
  return { layers: layers.map(() => value), rest: value };
}

function filledColumns(value: number, like: Packed): Packed {
  return pack(new Float32Array(unpack(like)?.length ?? 0).fill(value));
}

function expertsIn({ parameters }: MergeRecipe): readonly string[] {
  const curves = Object.values(parameters).flatMap((byName) => Object.values(byName));
  return [...new Set(curves.flatMap((byExpert) => Object.keys(byExpert)))];
}

function mapValues<T, Result>(
  mapping: Readonly<Record<string, T>>,
  map: (value: T, name: string) => Result,
): Record<string, Result> {
  return Object.fromEntries(Object.entries(mapping).map(([name, value]) => [name, map(value, name)]));
}
