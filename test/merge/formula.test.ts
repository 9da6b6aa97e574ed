import { describe, expect, test } from "vitest";
import { declarations, methodNames } from "../../src/merge/declarations.ts";
import {
  eachExpert,
  formulaText,
  minus,
  partsOf,
  plus,
  sumOverExperts,
  theBase,
  times,
} from "../../src/merge/formula.ts";

describe("the formula of a merge method", () => {
  test.each(methodNames)("has every parameter of %s and no other", (name) => {
    const { formula, parameters } = declarations[name];
    const used = partsOf(formula).flatMap((part) => (part.op === "times" ? [part.parameter] : []));
    expect(new Set(used)).toEqual(new Set(parameters.map((parameter) => parameter.name)));
  });

  test("is told in words", () => {
    expect(methodNames.map((name) => declarations[name].summary)).toEqual([
      "sum of weight x expert",
      "base + sum of weight x (expert - base)",
    ]);
    const nested = minus(theBase, minus(eachExpert, times(plus(theBase, eachExpert), "share")));
    expect(formulaText(nested)).toBe("base - (expert - share x (base + expert))");
  });

  test("tells whether a method needs the base", () => {
    expect(methodNames.filter((name) => declarations[name].needsBase)).toEqual(["task_arithmetic"]);
    expect(partsOf(sumOverExperts(eachExpert))).not.toContain(theBase);
  });
});
