/** The settings of a recipe at one weight, looked up from the innermost to the outermost. */
import { UserError } from "../errors.ts";
import type { PlannedWeight, TensorSource } from "../merge-files/plan.ts";
import { mergekitDeclaration, takenBy, takesBaseForExpert, type MergekitParameter } from "./methods.ts";
import type { Notices } from "./notices.ts";
import { isRandom } from "../merge/method.ts";
import type { MergekitRecipe } from "./recipe-file.ts";
import { lookUp, numberIn, type Scalar } from "./settings.ts";
import type { Slice, SliceSource } from "./sliced.ts";
import { type GivenValues, methodStep } from "./method-step.ts";

/** A weight of the result, and where in a slice it stands. */
export interface WeightPlace {
  readonly name: string;
  readonly slice: Slice;
  /** From 0 at the first layer of the slice to 1 at the last. */
  readonly t: number;
  readonly isBehind: boolean;
  readonly isCompatible: boolean;
  readonly seed?: number | undefined;
}

/** A source of a slice, and the tensor that the weight is made of there. */
interface Parent {
  readonly source: SliceSource;
  readonly tensor: TensorSource;
}

/** What a weight is made of. */
type PlannedParents = Pick<PlannedWeight, "base" | "experts" | "step">;

/** What is merged for a weight, and by which values; a UserError that names the weight where these make no merge. */
export function weightStep(
  recipe: Pick<MergekitRecipe, "merge_method">,
  place: WeightPlace,
  tensors: readonly TensorSource[],
  notices: Notices,
): PlannedParents {
  try {
    const { slice } = place;
    const parents = slice.sources.map((source, i): Parent => ({ source, tensor: tensors[i] ?? absent(source.model) }));
    if (recipe.merge_method === "passthrough") return copied(parents, place);
    return merged(recipe.merge_method, parents, place, notices);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`recipe: ${place.name}: ${error.message}`, { cause: error });
  }
}

function copied(parents: readonly Parent[], place: WeightPlace): PlannedParents {
  const [parent, other] = parents;
  if (!parent || other)
    throw new UserError(`passthrough copies one model, found ${parents.length}; give one source a slice`);
  const scale = numberIn(valueAt("scale", takenBy("passthrough")["scale"] ?? { per: "expert" }, place, parent));
  if (typeof scale !== "number") throw new UserError(`scale: expected a number, found ${JSON.stringify(scale)}`);
  const { tensor } = parent;
  return {
    experts: [tensor],
    step: { method: "passthrough", model: tensor.model, ...(scale !== 1 && { scale }) },
  };
}

function merged(method: string, parents: readonly Parent[], place: WeightPlace, notices: Notices): PlannedParents {
  const { slice } = place;
  const base = takesBaseForExpert(method) ? undefined : parents.find(({ source }) => source.model === slice.base);
  const experts = parents.filter((parent) => parent !== base);
  const declaration = mergekitDeclaration(method, base !== undefined);
  if (!base && (declaration.needsBase || (slice.base !== undefined && !takesBaseForExpert(method))))
    throw new UserError(
      slice.base === undefined
        ? `${method} needs a base; name it as base_model`
        : `the base ${slice.base} is no source of this slice; add its layers`,
    );
  const { least = 1, most = Number.POSITIVE_INFINITY } = declaration.experts ?? {};
  if (experts.length < least || experts.length > most)
    throw new UserError(
      `${method} merges ${least === most ? "exactly" : "at least"} ${least} model${least === 1 ? "" : "s"}${base ? " beside the base" : ""}, found ${experts.length}`,
    );
  const { seed, isCompatible } = place;
  const step = {
    ...methodStep(declaration, givenAt(method, experts, place, notices), { isCompatible }),
    ...(seed !== undefined && isRandom(declaration) && { seed }),
  };
  // A path that is spelt otherwise, or leads elsewhere, draws the same.
  const named = experts.map(({ tensor }, i) => ({ ...tensor, name: String(i + 1) }));
  return { ...(base && { base: base.tensor }), experts: named, step };
}

function givenAt(method: string, experts: readonly Parent[], place: WeightPlace, notices: Notices): GivenValues {
  const known = Object.entries(takenBy(method));
  const valuesOf = (per: MergekitParameter["per"], parent?: Parent): Readonly<Record<string, Scalar>> => {
    const own = known.filter(([, parameter]) => parameter.per === per && !parameter.isWithoutEffect);
    return Object.fromEntries(own.map(([name, parameter]) => [name, valueAt(name, parameter, place, parent, notices)]));
  };
  return { shared: valuesOf("model"), experts: experts.map((parent) => valuesOf("expert", parent)) };
}

function valueAt(
  name: string,
  parameter: MergekitParameter,
  { name: weight, slice, t, isBehind, isCompatible }: WeightPlace,
  parent: Parent | undefined,
  notices?: Notices,
): Scalar {
  const scopes = [...(parent ? [parent.source.parameters] : []), ...slice.scopes];
  // Filters of an expert's parameter meet the name that the tensor has there.
  const tensor = parent?.tensor.tensor ?? weight;
  const at = (place: number): Scalar | undefined => lookUp(name, scopes, { tensor, t: place });
  const first = isBehind ? at(0) : undefined;
  const value = isBehind && isCompatible ? first : at(t);
  if (isBehind && value !== at(0))
    notices?.tell(
      `${name}: what stands behind the layers, such as a final norm, takes the last value of a gradient; mergekit gives it the first (--mergekit-compat)`,
    );
  const found = value ?? parameter.default;
  if (found !== undefined) return found;
  throw new UserError(
    `no ${name}${parent ? ` for ${parent.source.model}` : ""}; give one under its parameters, or those of the recipe`,
  );
}

function absent(model: string): never {
  throw new Error(`mergekit: no tensor of ${model}`);
}
