/** What methods share that let experts elect a sign for each element. */
import { type Formula, isPositive, magnitude, number, plus, product } from "../formula.ts";

/** 1 where it is at least 0, else -1. */
export function signOf(x: Formula): Formula {
  return plus(product(isPositive(product(x, number(-1))), number(-2)), number(1));
}

/** The same, and 1 where it is 0, by which nothing can be divided. */
export function orOne(x: Formula): Formula {
  const isThere = isPositive(magnitude(x));
  return plus(x, plus(product(isThere, number(-1)), number(1)));
}
