import { describe, expect, test } from "vitest";
import { formulaParameters } from "../../src/merge/combination.ts";
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
import { methodsByColumn } from "./method-kinds.ts";

describe("the formula of a merge method", () => {
  test.each(methodNames)("has every parameter of %s and no other", (name) => {
    const used = partsOf(declarations[name].formula).flatMap((part) => (part.op === "times" ? [part.parameter] : []));
    expect(new Set(used)).toEqual(new Set(formulaParameters(declarations[name]).map((parameter) => parameter.name)));
  });

  test("is told in words", () => {
    expect(methodsByColumn.map((name) => declarations[name].summary)).toEqual([
      "sum of weight x expert",
      "base + sum of weight x (expert - base)",
    ]);
    const nested = minus(theBase, minus(eachExpert, times(plus(theBase, eachExpert), "share")));
    expect(formulaText(nested)).toBe("base - (expert - share x (base + expert))");
  });

  test("tells whether a method needs the base", () => {
    expect(methodNames.filter((name) => declarations[name].needsBase)).toEqual([
      "task_arithmetic",
      "slerp",
      "task_nuslerp",
      "task_multislerp",
      "model_stock",
    ]);
    expect(partsOf(sumOverExperts(eachExpert))).not.toContain(theBase);
  });
});
