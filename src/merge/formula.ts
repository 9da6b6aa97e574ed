/**
 * What a merge method computes at one weight, as plain data: parents, coefficients and operations of f32, done in the order
 * that is written. The merge itself, the Python of the starter kit and the words of help are made from it.
 */
export type Formula =
  | { readonly op: "base" }
  | { readonly op: "first expert" }
  /** The expert whose turn it is in the sum around it. */
  | { readonly op: "expert" }
  /** The tensor that a leaf of that name makes of the expert whose turn it is. */
  | { readonly op: "leaf"; readonly name: string }
  /** A coefficient by its name, or a constant, the same at all elements: the right hand of an operation. */
  | { readonly op: "number"; readonly value: string | number }
  | { readonly op: "plus" | "minus" | "product" | "quotient"; readonly x: Formula; readonly y: Formula }
  | { readonly op: "magnitude"; readonly x: Formula }
  /** 1 where it is positive, else 0. */
  | { readonly op: "isPositive"; readonly x: Formula }
  /** Times the coefficient of that name; inside a sum, the one of the expert whose turn it is. */
  | { readonly op: "times"; readonly x: Formula; readonly parameter: string }
  /** Over the experts, in their order. */
  | { readonly op: "sum"; readonly of: Formula }
  /** What goes by a name in Python, since the formula has it more than once. */
  | { readonly op: "named"; readonly name: string; readonly x: Formula };

export const theBase: Formula = { op: "base" };
export const firstExpert: Formula = { op: "first expert" };
export const eachExpert: Formula = { op: "expert" };

export function plus(x: Formula, y: Formula): Formula {
  return { op: "plus", x, y };
}

export function minus(x: Formula, y: Formula): Formula {
  return { op: "minus", x, y };
}

export function product(x: Formula, y: Formula): Formula {
  return { op: "product", x, y };
}

export function quotient(x: Formula, y: Formula): Formula {
  return { op: "quotient", x, y };
}

export function magnitude(x: Formula): Formula {
  return { op: "magnitude", x };
}

export function isPositive(x: Formula): Formula {
  return { op: "isPositive", x };
}

export function leaf(name: string): Formula {
  return { op: "leaf", name };
}

export function number(value: string | number): Formula {
  return { op: "number", value };
}

export function times(x: Formula, parameter: string): Formula {
  return { op: "times", x, parameter };
}

export function sumOverExperts(of: Formula): Formula {
  return { op: "sum", of };
}

export function withName(name: string, x: Formula): Formula {
  return { op: "named", name, x };
}

/** The formula itself and all that it is made of. */
export function partsOf(formula: Formula): readonly Formula[] {
  return [formula, ...operandsOf(formula).flatMap(partsOf)];
}

/** The names of all coefficients in it. */
export function coefficientsIn(formula: Formula): ReadonlySet<string> {
  return coefficientsOf(partsOf(formula));
}

/** The names of those by which it has derivatives: which do not only decide whether something is positive. */
export function differentiableIn(formula: Formula): ReadonlySet<string> {
  const apart = (part: Formula): readonly Formula[] =>
    part.op === "isPositive" ? [] : [part, ...operandsOf(part).flatMap(apart)];
  return coefficientsOf(apart(formula));
}

function coefficientsOf(parts: readonly Formula[]): ReadonlySet<string> {
  const names = parts.map((part) =>
    part.op === "times" ? part.parameter : part.op === "number" ? part.value : undefined,
  );
  return new Set(names.filter((name) => typeof name === "string"));
}

/** Whether it is another for each expert, outside of sums; coefficients are, but those that are known to be shared. */
export function isOfExpert(formula: Formula, shared: readonly string[] = []): boolean {
  if (formula.op === "expert" || formula.op === "leaf") return true;
  if (formula.op === "times" && !shared.includes(formula.parameter)) return true;
  if (formula.op === "number") return typeof formula.value === "string" && !shared.includes(formula.value);
  return formula.op !== "sum" && operandsOf(formula).some((part) => isOfExpert(part, shared));
}

/** What a formula is directly made of. */
export function operandsOf(formula: Formula): readonly Formula[] {
  if ("of" in formula) return [formula.of];
  return "x" in formula ? [formula.x, ...("y" in formula ? [formula.y] : [])] : [];
}

/** Such as `base + sum of weight x (expert - base)`. */
export function formulaText(formula: Formula): string {
  const factor = (part: Formula): string => (part.op === "named" ? factor(part.x) : asFactor(part, formulaText));
  switch (formula.op) {
    case "base":
    case "first expert":
    case "expert":
      return formula.op;
    case "leaf":
      return formula.name;
    case "number":
      return String(formula.value);
    case "plus":
      return `${formulaText(formula.x)} + ${formulaText(formula.y)}`;
    case "minus":
      return `${formulaText(formula.x)} - ${factor(formula.y)}`;
    case "product":
      return `${factor(formula.x)} x ${factor(formula.y)}`;
    case "quotient":
      return `${factor(formula.x)} / ${factor(formula.y)}`;
    case "magnitude":
      return `|${formulaText(formula.x)}|`;
    case "isPositive":
      return `[${formulaText(formula.x)} > 0]`;
    case "times":
      return `${formula.parameter} x ${factor(formula.x)}`;
    case "sum":
      return `sum of ${formulaText(formula.of)}`;
    case "named":
      return formulaText(formula.x);
    default:
      return formula satisfies never;
  }
}

/** A text of a formula that keeps together in a product, or behind a minus. */
export function asFactor(formula: Formula, textOf: (formula: Formula) => string): string {
  return formula.op === "plus" || formula.op === "minus" ? `(${textOf(formula)})` : textOf(formula);
}
