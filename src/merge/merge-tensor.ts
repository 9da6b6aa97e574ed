/** Merge methods as expressions: f32 throughout, summed in the order of the experts, rounded once at the end. */
import { storedDtype } from "../device/device.ts";
import { add, cast, constant, mul, scale, sub, type Expression, type Node } from "../device/expression.ts";
import type { Dtype } from "../tensor/dtype.ts";
import { unpack } from "../tensor/packed.ts";
import { type FactorSlope, type FormulaFactors, factorsOf } from "./combination.ts";
import { declarations } from "./declarations.ts";
import type { Formula } from "./formula.ts";
import type { Gram } from "../tensor/gram.ts";
import type { Step, StepValue } from "./recipe.ts";

/** One weight of every parent, all of one shape; `models` has base and experts by name. */
export interface MergeParents {
  readonly models: Readonly<Record<string, Expression>>;
  readonly base: string;
  readonly experts: readonly string[];
  /** For methods that depend on it. */
  readonly gram?: Gram | undefined;
  /** Of the result; that of the base unless given. */
  readonly dtype?: Dtype | undefined;
}

/** Where coefficients enter a merge: by the factor of a node, which is one number or, as its y, one for each column. */
export interface Scaled {
  readonly node: Node<"scale"> | Node<"mul">;
  /** Derivatives of the factor by the coefficients that it is made of. */
  readonly factor: readonly FactorSlope[];
}

/** What a formula is computed of. */
interface Operands extends FormulaFactors {
  readonly base: Expression;
  readonly experts: readonly Expression[];
  /** Told every coefficient that the formula comes by. */
  readonly meet: (scaled: Scaled) => void;
}

/** The merged weight, rounded once; `meet` is told where each coefficient enters, for derivatives. */
export function mergeTensor(parents: MergeParents, step: Step, meet: (scaled: Scaled) => void = () => {}): Expression {
  const base = modelOf(parents, parents.base);
  const dtype = parents.dtype ?? storedDtype(base);
  if (step.method === "passthrough") return copied(modelOf(parents, step.model), step.scale, dtype);
  const experts = parents.experts.map((name) => cast(modelOf(parents, name), "f32"));
  const declaration = declarations[step.method];
  for (const { name } of declaration.parameters) {
    const count = step.values[name]?.length;
    if (count !== experts.length) throw new Error(`merge: ${experts.length} experts, ${count} values of ${name}`);
  }
  const factors = factorsOf(declaration, step.values, parents.gram);
  return cast(compute(declaration.formula, { base: cast(base, "f32"), experts, ...factors, meet }, 0), dtype);
}

/** A factor of 1 is none: what is copied keeps all its bits, NaN among them. */
function copied(model: Expression, factor = 1, dtype: Dtype): Expression {
  return factor === 1 ? cast(model, dtype) : cast(scale(cast(model, "f32"), factor), dtype);
}

/** A formula at one of the experts, whose turn it is in the sum around it; what stands in no sum has one value for all. */
function compute(formula: Formula, operands: Operands, expert: number): Expression {
  const at = (part: Formula): Expression => compute(part, operands, expert);
  switch (formula.op) {
    case "base":
      return operands.base;
    case "first expert":
      return known(operands.experts[0], "an expert");
    case "expert":
      return known(operands.experts[expert], "an expert");
    case "plus":
      return add(at(formula.x), at(formula.y));
    case "minus":
      return sub(at(formula.x), at(formula.y));
    case "times": {
      const { x, parameter } = formula;
      const node = times(at(x), known(operands.values[parameter]?.[expert], parameter));
      operands.meet({ node, factor: operands.slopesOf(parameter, expert) });
      return node;
    }
    case "sum":
      return operands.experts.map((_, i) => compute(formula.of, operands, i)).reduce((total, term) => add(total, term));
    default:
      return formula satisfies never;
  }
}

/** f32 [..., columns] by a number, or each of its columns by one of its own. */
function times(x: Expression, value: StepValue): Node<"scale"> | Node<"mul"> {
  if (typeof value === "number") return scale(x, value);
  const columns = known(unpack(value), "coefficients of columns");
  const last = x.shape.length - 1;
  const row = x.shape.map((_, axis) => (axis === last ? columns.length : 1));
  return mul(x, constant(columns, row));
}

function known<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`merge: a formula asks for ${name} that is not there`);
  return value;
}

function modelOf({ models }: MergeParents, name: string): Expression {
  const model = models[name];
  if (!model) throw new Error(`merge: no model named ${name}`);
  return model;
}
