import { describe, expect, test } from "vitest";
import { declarations } from "../../src/merge/declarations.ts";
import {
  eachExpert,
  isPositive,
  magnitude,
  minus,
  number,
  plus,
  product,
  quotient,
  theBase,
  times,
} from "../../src/merge/formula.ts";
import { parseFormula } from "../../src/merge/parse-formula.ts";

const parameters = [
  { name: "weight", per: "expert" },
  { name: "lambda", per: "model" },
] as const;

/** Of texts that need not name every parameter. */
function formulaOf(text: string): unknown {
  return parseFormula(
    text,
    parameters.filter(({ name }) => text.includes(name)),
  );
}

const lambda = times(number(1), "lambda");

describe("a formula as text", () => {
  test("is what a built-in method has as data", () => {
    expect(formulaOf("base + sum(weight * (expert - base))")).toEqual(declarations.task_arithmetic.formula({}));
    expect(formulaOf("sum(expert * weight)")).toEqual(declarations.linear.formula({}));
  });

  test.each([
    ["base - base - base", minus(minus(theBase, theBase), theBase)],
    ["base + base * base / base", plus(theBase, quotient(product(theBase, theBase), theBase))],
    ["(base + base) * base", product(plus(theBase, theBase), theBase)],
    ["-base", product(theBase, number(-1))],
    ["base * lambda", times(theBase, "lambda")],
    ["base / lambda", quotient(theBase, lambda)],
    ["base * (lambda + 1)", product(theBase, plus(lambda, number(1)))],
    ["abs(base)", magnitude(theBase)],
    ["base > lambda", isPositive(minus(theBase, lambda))],
    ["base < 0", isPositive(minus(number(0), theBase))],
    ["base > 0", isPositive(theBase)],
    ["base * 0.1", product(theBase, number(Math.fround(0.1)))],
    ["base * (1 / 4 + 2 * 3 - -1e2)", product(theBase, number(106.25))],
    ["base * (abs(-2) > 1)", product(theBase, number(1))],
    ["half = 1 / 2\nbase * half", product(theBase, number(0.5))],
    ["base *\t( 1\n + 1 )", product(theBase, number(2))],
  ])("means %j", (text, formula) => {
    expect(formulaOf(text)).toEqual(formula);
  });

  test("shares what it gives a name, so that it is computed once", () => {
    const { op, x, y } = formulaOf("d = base - first; d * d") as { op: string; x: unknown; y: unknown };
    expect(op).toBe("product");
    expect(x).toBe(y);
  });

  test.each([
    ["", "the formula: expected what the merge is, such as base + sum(weight * (expert - base)), found none"],
    ["base +", "line 1, column 7: expected a name, a number or (, found the end of the line"],
    ["d = base\n  d ^ 2", 'line 2, column 5: expected an operation, or the end of the line, found "^"'],
    ["base)", 'line 1, column 5: expected an operation, or the end of the line, found ")"'],
    ["(base", "line 1, column 6: expected ), found the end of the line"],
    ["base * wieght", 'column 8: expected one of base, expert, first, sum, abs, found "wieght"'],
    ["sum = base\nsum", 'line 1, column 1: expected a name that nothing else has, found "sum"'],
    ["lambda = base\nlambda", 'line 1, column 1: expected a name that nothing else has, found "lambda"'],
    ["d = base\nd = base\nd", 'line 2, column 1: expected a name that nothing else has, found "d"'],
    ["base\nbase", "line 1, column 1: expected a name, =, and what it stands for"],
    [
      "expert - base",
      'column 1: expected the merge, with what each expert has of its own inside of sum(...), found "expert"',
    ],
    ["base + weight", "inside of sum(...)"],
    ["base + sum(base)", 'column 8: expected a sum of what each expert has of its own, found "sum"'],
    ["2 * lambda", 'column 1: expected the merge, with base or experts in it, found "2"'],
    [
      "1 / base",
      'column 3: expected base or experts in what is divided by something with base or experts in it, found "/"',
    ],
    ["base * (1 / 0)", 'column 11: expected a number of f32, found "/"'],
    ["base * 1e99", 'expected a number of f32, found "1e99"'],
    ["d = base\nbase", "expected all that is named to have a part in it, found d in no place"],
    ["base < base < base", 'expected an operation, or the end of the line, found "<"'],
    [`${"(".repeat(60)}base`, "expected at most 50 parentheses within each other"],
    [
      `a0 = base\n${Array.from({ length: 60 }, (_, i) => `a${i + 1} = a${i} + a${i}`).join("\n")}\na60`,
      "expected at most 1000 operations, those of a name wherever it stands",
    ],
  ])("is refused where it means nothing: %j", (text, sentence) => {
    expect(() => formulaOf(text)).toThrow(sentence);
  });

  test("has every parameter in it, and all experts' values stand in sums", () => {
    expect(() => parseFormula("base * lambda", parameters)).toThrow(
      "the formula: expected all that is named to have a part in it, found weight in no place",
    );
    expect(parseFormula("sum(expert) * (lambda / sum(weight))", parameters)).toMatchObject({ x: { of: eachExpert } });
  });
});
