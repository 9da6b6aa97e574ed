/** Merge methods as expressions: f32 throughout, summed in the order of the experts, rounded once at the end. */
import { storedDtype } from "../device/device.ts";
import {
  abs,
  add,
  cast,
  constant,
  div,
  mul,
  scale,
  step as isPositive,
  sub,
  type Expression,
  type Node,
} from "../device/expression.ts";
import { type Dtype, elementCount } from "../tensor/dtype.ts";
import { unpack } from "../tensor/packed.ts";
import { declarationOf } from "./declarations.ts";
import type { ParentFacts } from "./facts.ts";
import { type Formula, isOfExpert, partsOf } from "./formula.ts";
import { type FactorSlope, type FormulaNumbers, type FormulaValue, formulaNumbers } from "./formula-numbers.ts";
import { optionsOf } from "./method.ts";
import type { Step } from "./recipe.ts";

/** One weight of every parent, all of one shape, and what the method asks of them. */
export interface MergeParents extends ParentFacts {
  /** Base and experts by name. */
  readonly models: Readonly<Record<string, Expression>>;
  readonly base: string;
  readonly experts: readonly string[];
  /** What each expert adds to the base, f32, where that was computed already. */
  readonly differences?: readonly Expression[] | undefined;
  /** The leaves of each expert, in their order, by name; f32. */
  readonly leaves?: readonly Readonly<Record<string, Expression>>[] | undefined;
  /** Of the result; that of the base unless given. */
  readonly dtype?: Dtype | undefined;
}

/** Where coefficients enter a merge: by the factor of a node, which is one number or, as its y, one for each column or other vector. */
export interface Scaled {
  readonly node: Node<"scale"> | Node<"mul">;
  /** Derivatives of the factor by the coefficients that it is made of. */
  readonly factor: readonly FactorSlope[];
}

/** What a formula is computed of. */
interface Operands extends FormulaNumbers {
  readonly base: Expression;
  readonly experts: readonly Expression[];
  readonly differences: MergeParents["differences"];
  readonly leaves: MergeParents["leaves"];
  /** Told every coefficient that the formula comes by. */
  readonly meet: (scaled: Scaled) => void;
  /** What a part of the formula is, at each expert: a part that stands in several places is computed once. */
  readonly done: Map<Formula, Expression[]>;
}

/** The merged weight, rounded once; `meet` is told where each coefficient enters, for derivatives. */
export function mergeTensor(parents: MergeParents, step: Step, meet: (scaled: Scaled) => void = () => {}): Expression {
  const base = modelOf(parents, parents.base);
  const dtype = parents.dtype ?? storedDtype(base);
  if (step.method === "passthrough") return copied(modelOf(parents, step.model), step.scale, dtype);
  const experts = parents.experts.map((name) => cast(modelOf(parents, name), "f32"));
  const declaration = declarationOf(step.method);
  for (const { name } of declaration.parameters) {
    const count = step.values[name]?.length;
    if (count !== experts.length) throw new Error(`merge: ${experts.length} experts, ${count} values of ${name}`);
  }
  const numbers = formulaNumbers(declaration, step.values, parents, step.options);
  const formula = declaration.formula(optionsOf(declaration, step.options));
  const { differences, leaves } = parents;
  const operands = { base: cast(base, "f32"), experts, differences, leaves, ...numbers, meet, done: new Map() };
  return cast(compute(formula, operands, 0), dtype);
}

/** Whether a step's formula asks for what each expert adds to the base. */
export function readsDifferences(step: Step): boolean {
  if (step.method === "passthrough") return false;
  const declaration = declarationOf(step.method);
  return partsOf(declaration.formula(optionsOf(declaration, step.options))).some(isDifference);
}

function isDifference(formula: Formula): boolean {
  return formula.op === "minus" && formula.x.op === "expert" && formula.y.op === "base";
}

/** A factor of 1 is none: what is copied keeps all its bits, NaN among them. */
function copied(model: Expression, factor = 1, dtype: Dtype): Expression {
  return factor === 1 ? cast(model, dtype) : cast(scale(cast(model, "f32"), factor), dtype);
}

/** A formula at one of the experts, whose turn it is in the sum around it; what stands in no sum has one value for all. */
function compute(formula: Formula, operands: Operands, expert: number): Expression {
  const at = isOfExpert(formula) ? expert : 0;
  const done = operands.done.get(formula) ?? [];
  operands.done.set(formula, done);
  return (done[at] ??= computeAnew(formula, operands, at));
}

function computeAnew(formula: Formula, operands: Operands, expert: number): Expression {
  const at = (part: Formula): Expression => compute(part, operands, expert);
  switch (formula.op) {
    case "base":
      return operands.base;
    case "first expert":
      return known(operands.experts[0], "an expert");
    case "expert":
      return known(operands.experts[expert], "an expert");
    case "leaf":
      return known(operands.leaves?.[expert]?.[formula.name], formula.name);
    case "number": {
      const { value } = formula;
      return row(typeof value === "number" ? value : valueOf(operands, value, expert), operands.base);
    }
    case "plus":
      return add(...widerFirst(at(formula.x), at(formula.y)));
    case "minus":
      return (isDifference(formula) && operands.differences?.[expert]) || difference(at(formula.x), at(formula.y));
    case "product":
      return mul(...widerFirst(at(formula.x), at(formula.y)));
    case "quotient": {
      const divisor = at(formula.y);
      return div(asWide(at(formula.x), divisor), divisor);
    }
    case "magnitude":
      return abs(at(formula.x));
    case "isPositive":
      return isPositive(at(formula.x));
    case "times": {
      const { x, parameter } = formula;
      const node = times(at(x), valueOf(operands, parameter, expert));
      operands.meet({ node, factor: operands.slopesOf(parameter, expert) });
      return node;
    }
    case "sum":
      return operands.experts.map((_, i) => compute(formula.of, operands, i)).reduce((total, term) => add(total, term));
    case "named":
      return at(formula.x);
    default:
      return formula satisfies never;
  }
}

function valueOf({ values }: Operands, parameter: string, expert: number): FormulaValue {
  return known(values[parameter]?.[expert], parameter);
}

/** f32 [..., columns] by a number, or each of its columns, or other vectors, by one of its own. */
function times(x: Expression, value: FormulaValue): Node<"scale"> | Node<"mul"> {
  if (typeof value === "number") return scale(x, value);
  const columns = row(value, x);
  return mul(asWide(x, columns), columns);
}

/** Operands of a sum or product: what is repeated along the other's dimensions stands behind it. */
function widerFirst(x: Expression, y: Expression): [Expression, Expression] {
  return isWider(y, x) ? [y, x] : [x, y];
}

function difference(x: Expression, y: Expression): Expression {
  return isWider(y, x) ? add(scale(y, -1), x) : sub(x, y);
}

/** Numbers that are to be multiplied or divided by those of columns: one for all becomes one for each. */
function asWide(x: Expression, like: Expression): Expression {
  if (!isWider(like, x)) return x;
  return mul(constant(new Float32Array(elementCount(like.shape)).fill(1), like.shape), x);
}

function isWider(x: Expression, y: Expression): boolean {
  return x.shape.some((size, axis) => size > (y.shape[axis] ?? size));
}

/** f32 [1, ..., columns] or that of other vectors, or one number in all dimensions of `like`. */
function row(value: FormulaValue, { shape }: Expression): Node<"constant"> {
  if (typeof value === "object") return constant(value.values, value.shape);
  const values = typeof value === "number" ? Float32Array.of(value) : known(unpack(value), "coefficients of columns");
  const last = shape.length - 1;
  return constant(
    values,
    shape.map((_, axis) => (axis === last ? values.length : 1)),
  );
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
