/** What stages of every family are built with. */
import type { Expression } from "../device/expression.ts";

/** One of the weights of a stage, or of what it is given. */
export function named(expressions: Readonly<Record<string, Expression>>, name: string): Expression {
  const found = expressions[name];
  if (!found) throw new Error(`model: ${name} is missing`);
  return found;
}

/** Converts a weight once, however many batches it meets. */
export function once(convert: (weight: Expression) => Expression): (weight: Expression) => Expression {
  const converted = new WeakMap<Expression, Expression>();
  return (weight) => {
    const known = converted.get(weight) ?? convert(weight);
    converted.set(weight, known);
    return known;
  };
}
