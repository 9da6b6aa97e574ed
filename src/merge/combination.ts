/**
 * Merges whose result is a combination of base and experts, with one factor for each that depends on lengths and angles of
 * the parents. The factors are made here, on the host, in f64; what is computed of tensors is one formula for all.
 */
import { Dual } from "./dual.ts";
import { eachExpert, firstExpert, minus, plus, sumOverExperts, theBase, times } from "./formula.ts";
import type { Gram } from "../tensor/gram.ts";
import { type Combine, computing, type MethodDeclaration, type ParameterSpec } from "./method.ts";
import type { StepValue } from "./recipe.ts";

/** The derivative of a factor in a formula by a coefficient of the recipe. */
export interface FactorSlope {
  readonly parameter: string;
  /** Index of its expert. */
  readonly expert: number;
  readonly slope: number;
}

/** What a formula takes at a weight. */
export interface FormulaFactors {
  /** By parameter of the formula, in the order of the experts. */
  readonly values: Readonly<Record<string, readonly StepValue[]>>;
  readonly slopesOf: (parameter: string, expert: number) => readonly FactorSlope[];
}

/** What the formula of a combination takes: the factor of each expert, and by how much all factors together exceed 1. */
const [FACTOR, EXCESS] = ["factor", "excess"];

/** The parameters of a method's formula, which are the method's unless it is a combination. */
export function formulaParameters({
  combine,
  parameters,
}: MethodDeclaration): readonly Pick<ParameterSpec, "name" | "per">[] {
  if (!combine) return parameters;
  return [
    { name: FACTOR, per: "expert" },
    { name: EXCESS, per: "model" },
  ];
}

/**
 * The part of a declaration that tells what a combination computes: from an origin, the base or the first expert, so much of
 * each expert's difference from it, and of the origin itself what the factors exceed 1. So equal parents give that parent to
 * the last bit, whatever the factors.
 */
export function combining(
  origin: "base" | "first expert",
  summary: string,
  combine: Combine,
): Pick<MethodDeclaration, "formula" | "summary" | "needsBase" | "combine"> {
  const from = origin === "base" ? theBase : firstExpert;
  const differences = sumOverExperts(times(minus(eachExpert, from), FACTOR));
  return { ...computing(plus(plus(from, times(from, EXCESS)), differences)), summary, combine };
}

/** What the formula of a method takes where its parameters have such values, in the order of the experts. */
export function factorsOf(
  { name, combine, parameters }: Pick<MethodDeclaration, "name" | "combine" | "parameters">,
  values: FormulaFactors["values"],
  gram: Gram | undefined,
): FormulaFactors {
  if (!combine) return { values, slopesOf: (parameter, expert) => [{ parameter, expert, slope: 1 }] };
  if (!gram) throw new Error(`merge: ${name} without the inner products of the parents`);
  const inputs: Omit<FactorSlope, "slope">[] = [];
  const inputOf = (parameter: string, expert: number, value: StepValue | undefined): Dual => {
    if (typeof value !== "number") throw new Error(`merge: expected one number for ${parameter} of ${name}`);
    return Dual.input(value, inputs.push({ parameter, expert }) - 1);
  };
  const experts = Array.from({ length: gram.length - 1 }, (_, i) => i);
  const given = parameters.map(({ name: parameter, per }) => {
    const own = values[parameter] ?? [];
    const shared = per === "model" ? inputOf(parameter, 0, own[0]) : undefined;
    return [parameter, experts.map((expert) => shared ?? inputOf(parameter, expert, own[expert]))];
  });
  const factors = combine(gram, Object.fromEntries(given) as Record<string, Dual[]>);
  const excess = Dual.sum([factors.base, ...factors.experts]).minus(1);
  const made = (parameter: string, expert: number): Dual =>
    parameter === EXCESS ? excess : (factors.experts[expert] ?? new Dual(Number.NaN));
  return {
    values: {
      [FACTOR]: factors.experts.map(({ value }) => value),
      [EXCESS]: experts.map(() => excess.value),
    },
    slopesOf: (parameter, expert) =>
      inputs.map((input, i) => ({ ...input, slope: made(parameter, expert).slopes[i] ?? 0 })),
  };
}
