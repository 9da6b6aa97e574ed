/** What a formula takes at a weight: the coefficients of the recipe, and what the method makes of them on the host, in f64. */
import { Dual } from "./dual.ts";
import type { ParentFacts } from "./facts.ts";
import { coefficientsIn } from "./formula.ts";
import { type MethodDeclaration, type Options, optionsOf, type ParameterSpec } from "./method.ts";
import type { MergeStep, StepValue } from "./recipe.ts";
import { numbersByVector, type VectorNumbers } from "./vector-numbers.ts";

/** The derivative of a number in a formula by a coefficient of the recipe. */
export interface FactorSlope {
  readonly parameter: string;
  /** Index of its expert. */
  readonly expert: number;
  /** Of each of several numbers, its own. */
  readonly slope: number | Float64Array;
}

/** A number of a formula, or one for each input column of a weight, or for each of the vectors that it is divided into. */
export type FormulaValue = StepValue | VectorNumbers;

/** What a formula takes at a weight. */
export interface FormulaNumbers {
  /** By parameter of the formula, in the order of the experts. */
  readonly values: Readonly<Record<string, readonly FormulaValue[]>>;
  readonly slopesOf: (parameter: string, expert: number) => readonly FactorSlope[];
}

type Method = Pick<MethodDeclaration, "name" | "derive" | "parameters" | "options">;

/** What the method's formula takes: parameters of its own, and what it makes of these. */
export function formulaParameters(
  method: Method & Pick<MethodDeclaration, "formula">,
  options?: Options,
): readonly Pick<ParameterSpec, "name" | "per">[] {
  const used = coefficientsIn(method.formula(optionsOf(method, options)));
  return [...method.parameters, ...(method.derive?.numbers ?? [])].filter(({ name }) => used.has(name));
}

/** What the formula of a method takes where its parameters have such values, in the order of the experts. */
export function formulaNumbers(
  method: Method,
  values: MergeStep["values"],
  facts: ParentFacts = {},
  options: Options = {},
): FormulaNumbers {
  const { derive } = method;
  if (!derive) return { values, slopesOf: itself };
  const { given, inputs } = inputsOf(method, values, (facts.vectors?.parents ?? facts.gram?.length ?? 1) - 1);
  const known = { facts, values: given, options: optionsOf(method, options) };
  const { vectors } = facts;
  const made: Readonly<Record<string, readonly (Dual | VectorNumbers)[]>> = vectors
    ? numbersByVector(vectors, (gram) => derive.make({ ...known, facts: { ...facts, gram } }))
    : derive.make(known);
  const numbers = Object.entries(made).map(([name, own]) => [name, own.map(numberIn)]);
  return {
    values: { ...values, ...(Object.fromEntries(numbers) as Record<string, FormulaValue[]>) },
    slopesOf: (parameter, expert) => {
      const own = made[parameter]?.[expert];
      return own ? inputs.map((input, i) => ({ ...input, slope: own.slopes[i] ?? 0 })) : itself(parameter, expert);
    },
  };
}

/** The derivative by a coefficient, or those by its columns, from the derivatives by a number of the formula or by several. */
export function byCoefficient(slope: FactorSlope["slope"], values: Iterable<number>): readonly number[] {
  if (typeof slope === "number") return Array.from(values, (value) => slope * value);
  let sum = 0;
  let vector = 0;
  for (const value of values) sum += (slope[vector++] ?? Number.NaN) * value;
  return [sum];
}

function numberIn(made: Dual | VectorNumbers): number | VectorNumbers {
  return made instanceof Dual ? made.value : made;
}

function itself(parameter: string, expert: number): FactorSlope[] {
  return [{ parameter, expert, slope: 1 }];
}

/** Values as inputs of derivatives; those by column, of which nothing is made, are left out. */
function inputsOf(
  { parameters }: Method,
  values: MergeStep["values"],
  atLeast: number,
): { readonly given: Record<string, Dual[]>; readonly inputs: readonly Omit<FactorSlope, "slope">[] } {
  const inputs: Omit<FactorSlope, "slope">[] = [];
  const count = Math.max(atLeast, ...Object.values(values).map(({ length }) => length));
  const given: Record<string, Dual[]> = {};
  for (const { name: parameter, per, isDeciding } of parameters) {
    const own = values[parameter] ?? [];
    if (own.some((value) => typeof value !== "number")) continue;
    const inputAt = (expert: number): Dual => {
      const value = Number(own[expert]);
      return isDeciding ? new Dual(value) : Dual.input(value, inputs.push({ parameter, expert }) - 1);
    };
    const shared = per === "model" ? inputAt(0) : undefined;
    given[parameter] = Array.from({ length: count }, (_, expert) => shared ?? inputAt(expert));
  }
  return { given, inputs };
}
