/**
 * What a merge method computes at one weight, as plain data: parents, coefficients and operations of f32, done in the order
 * that is written. The merge itself, the Python of the starter kit and the words of help are made from it.
 */
export type Formula =
  | { readonly op: "base" }
  | { readonly op: "first expert" }
  /** The expert whose turn it is in the sum around it. */
  | { readonly op: "expert" }
  | { readonly op: "plus" | "minus"; readonly x: Formula; readonly y: Formula }
  /** Times the coefficient of that name; inside a sum, the one of the expert whose turn it is. */
  | { readonly op: "times"; readonly x: Formula; readonly parameter: string }
  /** Over the experts, in their order. */
  | { readonly op: "sum"; readonly of: Formula };

export const theBase: Formula = { op: "base" };
export const firstExpert: Formula = { op: "first expert" };
export const eachExpert: Formula = { op: "expert" };

export function plus(x: Formula, y: Formula): Formula {
  return { op: "plus", x, y };
}

export function minus(x: Formula, y: Formula): Formula {
  return { op: "minus", x, y };
}

export function times(x: Formula, parameter: string): Formula {
  return { op: "times", x, parameter };
}

export function sumOverExperts(of: Formula): Formula {
  return { op: "sum", of };
}

/** The formula itself and all that it is made of. */
export function partsOf(formula: Formula): readonly Formula[] {
  const operands =
    "x" in formula ? [formula.x, ...("y" in formula ? [formula.y] : [])] : "of" in formula ? [formula.of] : [];
  return [formula, ...operands.flatMap(partsOf)];
}

/** Such as `base + sum of weight x (expert - base)`. */
export function formulaText(formula: Formula): string {
  switch (formula.op) {
    case "base":
    case "first expert":
    case "expert":
      return formula.op;
    case "plus":
      return `${formulaText(formula.x)} + ${formulaText(formula.y)}`;
    case "minus":
      return `${formulaText(formula.x)} - ${asFactor(formula.y, formulaText)}`;
    case "times":
      return `${formula.parameter} x ${asFactor(formula.x, formulaText)}`;
    case "sum":
      return `sum of ${formulaText(formula.of)}`;
    default:
      return formula satisfies never;
  }
}

/** A text of a formula that keeps together in a product, or behind a minus. */
export function asFactor(formula: Formula, textOf: (formula: Formula) => string): string {
  return formula.op === "plus" || formula.op === "minus" ? `(${textOf(formula)})` : textOf(formula);
}
