import type { Expression } from "../device/expression.ts";

/**
 * The inputs of an expression that are finite wherever its result is: NaN and infinity stay one of both in sums, products and
 * in what is divided, while a step, or a quotient by them, hides them.
 */
export function shownInputs(expression: Expression): ReadonlySet<Expression> {
  const shown = new Set<Expression>();
  const seen = new Set<Expression>();
  const visit = (x: Expression): void => {
    if (seen.has(x)) return;
    seen.add(x);
    if (x.op === "input") shown.add(x);
    if (x.op === "step") return;
    if ("x" in x) visit(x.x);
    if ("y" in x && x.op !== "div") visit(x.y);
  };
  visit(expression);
  return shown;
}
