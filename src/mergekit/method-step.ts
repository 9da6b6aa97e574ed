/** The values of a recipe at one weight in the words of our methods. */
import { UserError } from "../errors.ts";
import {
  type MethodDeclaration,
  type Options,
  type OptionSpec,
  type ParameterSpec,
  whyNoOption,
} from "../merge/method.ts";
import type { MethodName } from "../merge/declarations.ts";
import type { Step } from "../merge/recipe.ts";
import { booleanOf, numberIn, type Scalar } from "./settings.ts";

type NamedMethod = MethodDeclaration & { readonly name: MethodName };

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
export function methodStep(
  declaration: NamedMethod,
  given: GivenValues,
  { isCompatible }: { readonly isCompatible: boolean },
): Step {
  const { name, parameters } = declaration;
  for (const key of Object.keys(declaration.mergekit.parameters)) checkFolded(declaration, key, given.shared[key]);
  const values = parameters.map((spec): [string, number[]] => {
    const { name: parameter, per } = spec;
    const numbers = given.experts.map((own) => numberOf(spec, (per === "model" ? given.shared : own)[parameter]));
    return [parameter, parameter === "weight" ? folded(numbers, declaration, given) : numbers];
  });
  const options = optionsIn(declaration, given, isCompatible);
  return {
    method: name,
    values: Object.fromEntries(values),
    ...(Object.keys(options).length > 0 && { options }),
  };
}

/** A UserError where a value of a parameter of mergekit's is none, or not ours; without a declaration it is a number. */
export function checkValue(declaration: MethodDeclaration | undefined, key: string, value: Scalar): void {
  const option = declaration?.options?.find(({ name }) => name === key);
  const isFolded = declaration !== undefined && Object.hasOwn(declaration.mergekit.parameters, key);
  if (option) optionOf(option, value);
  else if (isFolded) checkFolded(declaration, key, value);
  else numberOf(declaration?.parameters.find(({ name }) => name === key) ?? { name: key }, value);
}

/** Those that are no parameters of ours are parts of the weights. */
function checkFolded({ mergekit }: MethodDeclaration, key: string, found: Scalar | undefined): void {
  if (typeof mergekit.parameters[key] === "boolean") booleanOf(key, found);
  else numberOf({ name: key }, found);
}

/** Those that are others than by default. */
function optionsIn({ options = [] }: MethodDeclaration, { shared }: GivenValues, isCompatible: boolean): Options {
  const changed = options.flatMap((spec) => {
    const value = spec.isMergekits ? isCompatible : optionOf(spec, shared[spec.name]);
    return value === spec.default ? [] : [[spec.name, value] as const];
  });
  return Object.fromEntries(changed);
}

function optionOf(spec: OptionSpec, given: Scalar | undefined): boolean | number {
  if (given === undefined) return spec.default;
  const value = typeof spec.default === "boolean" ? booleanOf(spec.name, given) : numberIn(given);
  const expected = whyNoOption(spec, value);
  if (expected === undefined) return value as boolean | number;
  throw new UserError(`${spec.name}: expected ${expected}, found ${JSON.stringify(given)}`);
}

function folded(
  weights: readonly number[],
  { parameters, options = [], mergekit }: MethodDeclaration,
  { shared }: GivenValues,
): number[] {
  const own = new Set([...parameters, ...options].map(({ name }) => name));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const isOn = (key: string): boolean => shared[key] !== undefined && booleanOf(key, shared[key]);
  // Where normalize is an option, each element has a sum of its own.
  const dividing = ["normalize_weights", "normalize"].find(
    (key) => isOn(key) && !(key === "normalize" && own.has(key)),
  );
  if (dividing !== undefined && Math.abs(sum) < NOTHING)
    throw new UserError(
      `the weights sum to ${sum}, by which none can be normalized, as by all below ${NOTHING}; give others, or ${dividing}: false`,
    );
  const { normalize, lambda } = mergekit.parameters;
  const divisor = normalize === false && isOn("normalize") ? sum : 1;
  const factor = lambda === 1 ? numberOf({ name: "lambda" }, shared["lambda"] ?? 1) : 1;
  return weights.map((weight) => (factor * weight) / divisor);
}

function numberOf({ name, limits }: Pick<ParameterSpec, "name" | "limits">, value: Scalar | undefined): number {
  const number = numberIn(value);
  const found = value === undefined ? "nothing" : JSON.stringify(value);
  if (typeof number !== "number" || !Number.isFinite(number))
    throw new UserError(`${name}: expected a number, found ${found}`);
  // Sums of larger ones may overflow, and what they are divided by would be nothing.
  if (!Number.isFinite(Math.fround(number)))
    throw new UserError(`${name}: expected a number that f32 can hold, found ${found}`);
  const [least, most] = limits ?? [-Infinity, Infinity];
  if (number < least || number > most)
    throw new UserError(`${name}: expected a number from ${least} to ${most}, found ${found}`);
  return number;
}
