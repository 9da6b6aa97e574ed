import { describe, expect, test } from "vitest";
import { formulaBody } from "../../src/export/starter-kit/formula-text.ts";
import { declarations, methodNames } from "../../src/merge/declarations.ts";
import {
  coefficientsIn,
  eachExpert,
  formulaText,
  minus,
  partsOf,
  plus,
  theBase,
  times,
} from "../../src/merge/formula.ts";
import { optionsOf } from "../../src/merge/method.ts";
import { methodsByColumn } from "./method-kinds.ts";

describe("the formula of a merge method", () => {
  test.each(methodNames)("has every parameter of %s and no other", (name) => {
    const declaration = declarations[name];
    const used = coefficientsIn(declaration.formula(optionsOf(declaration)));
    const made = (declaration.derive?.numbers ?? []).map((number) => number.name);
    const known = [...declaration.parameters.map((parameter) => parameter.name), ...made];
    expect([...used].filter((coefficient) => !known.includes(coefficient))).toEqual([]);
    // What is not in the formula is what others in it are made of.
    expect(known.filter((coefficient) => !used.has(coefficient) && made.length === 0)).toEqual([]);
  });

  test.each(methodNames)("has a name of its own in Python for each part of %s that has one", (name) => {
    const declaration = declarations[name];
    const formula = declaration.formula(optionsOf(declaration));
    const numbers = [...declaration.parameters, ...(declaration.derive?.numbers ?? [])];
    const named = new Set(partsOf(formula).flatMap((part) => (part.op === "named" ? [part] : [])));
    // What is another for each expert is in a list, in the plural.
    const taken = [...numbers, ...named].flatMap((own) => [own.name, `${own.name}s`]);
    expect(taken.filter((own, i) => taken.indexOf(own) !== i)).toEqual([]);
    expect(formulaBody({ formula, parameters: numbers })).not.toContain("for  in");
  });

  test("is told in words", () => {
    expect(methodsByColumn.map((name) => declarations[name].summary)).toEqual([
      "sum of weight x expert",
      "base + sum of weight x (expert - base)",
    ]);
    const nested = minus(theBase, minus(eachExpert, times(plus(theBase, eachExpert), "share")));
    expect(formulaText(nested)).toBe("base - (expert - share x (base + expert))");
  });
});
