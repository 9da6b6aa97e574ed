/** The values of a recipe at one weight in the words of our methods. */
import { UserError } from "../errors.ts";
import type { MethodDeclaration } from "../merge/method.ts";
import type { MethodName } from "../merge/declarations.ts";
import type { Step } from "../merge/recipe.ts";
import { takenBy } from "./methods.ts";
import type { Scalar } from "./settings.ts";

/** What a file says of one weight, in mergekit's words: of the whole merge, and of each expert in its order. */
export interface GivenValues {
  readonly shared: Readonly<Record<string, Scalar>>;
  readonly experts: readonly Readonly<Record<string, Scalar>>[];
}

/** A sum of weights that nothing can be divided by. */
const NOTHING = 1e-8;

/**
 * The step of a method. Where a setting is a part of our formula, such as normalized weights of a sum, it goes into the weights;
 * a UserError, without the place, where the method computes something else.
 */
export function methodStep(declaration: MethodDeclaration & { readonly name: MethodName }, given: GivenValues): Step {
  const { name, parameters, mergekit } = declaration;
  for (const [key, value] of Object.entries(fixedOf(declaration))) {
    if (key in foldable || given.shared[key] === value) continue;
    throw new UserError(
      `${key}: expected ${value}, which is what ${mergekit.method ?? name} computes here, found ${given.shared[key]}`,
    );
  }
  const values = parameters.map(({ name: parameter, per }): [string, number[]] => {
    const numbers = given.experts.map((own) => numberOf(parameter, (per === "model" ? given.shared : own)[parameter]));
    return [parameter, parameter === "weight" ? folded(numbers, declaration, given) : numbers];
  });
  return { method: name, values: Object.fromEntries(values) };
}

/** Settings that are the same as other weights, where all that a formula adds up is proportional to these. */
const foldable = { normalize: true, lambda: true };

/** What our formula has in the place of settings that it does not take, which for mergekit is the declaration's or the default. */
function fixedOf({ name, parameters, mergekit }: MethodDeclaration): Readonly<Record<string, Scalar>> {
  const taken = new Set(parameters.map((parameter) => parameter.name));
  const untaken = Object.entries(takenBy(mergekit.method ?? name)).flatMap(([key, parameter]) =>
    parameter.per === "model" && !parameter.isWithoutEffect && !taken.has(key) && parameter.default !== undefined
      ? [[key, parameter.default] as const]
      : [],
  );
  return { ...Object.fromEntries(untaken), ...mergekit.parameters };
}

function folded(weights: readonly number[], { mergekit }: MethodDeclaration, { shared }: GivenValues): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (shared["normalize"] === true && Math.abs(sum) < NOTHING)
    throw new UserError("the weights sum to 0, by which none can be normalized; give others, or normalize: false");
  const { normalize, lambda } = mergekit.parameters;
  const divisor = normalize === false && shared["normalize"] === true ? sum : 1;
  const factor = lambda === 1 ? numberOf("lambda", shared["lambda"] ?? 1) : 1;
  return weights.map((weight) => (factor * weight) / divisor);
}

function numberOf(parameter: string, value: Scalar | undefined): number {
  // PyYAML reads 1e-3 as a text, so that files may have numbers in quotes.
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number === "number" && Number.isFinite(number)) return number;
  throw new UserError(
    `${parameter}: expected a number, found ${value === undefined ? "nothing" : JSON.stringify(value)}`,
  );
}
