import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { declarations, type MethodName } from "../../src/merge/declarations.ts";
import { formulaNumbers } from "../../src/merge/formula-numbers.ts";
import type { Options } from "../../src/merge/method.ts";
import type { Gram } from "../../src/tensor/gram.ts";
import { combinations } from "./method-kinds.ts";

/** A base, and what two to four experts add to it: none of them nothing, and no two opposite, between which there is no one way. */
const vectors = fc.integer({ min: 2, max: 4 }).chain((experts) => {
  const vector = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 7, maxLength: 7 });
  return fc
    .array(
      vector.filter((own) => Math.hypot(...own) > 0.3),
      { minLength: experts, maxLength: experts },
    )
    .filter((added) => added.every((x, i) => added.every((y, j) => i === j || cosineOf(x, y) > -0.9)))
    .map((added) => [[2, -3, 1, 4, 2, 1, -2], ...added]);
});
const shares = fc.array(fc.double({ min: 0.1, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 });

function cosineOf(x: readonly number[], y: readonly number[]): number {
  return x.reduce((sum, value, k) => sum + value * y[k]!, 0) / (Math.hypot(...x) * Math.hypot(...y));
}

function gramOfVectors(all: readonly (readonly number[])[]): Gram {
  return all.map((x) => all.map((y) => x.reduce((sum, value, k) => sum + value * y[k]!, 0)));
}

function taken<T>(method: MethodName, experts: readonly T[]): readonly T[] {
  return experts.slice(0, declarations[method].experts?.most);
}

/** The merged vector: an origin, and what is added to it. */
function merged(
  method: MethodName,
  all: readonly (readonly number[])[],
  weights: readonly number[],
  options: Options = {},
): number[] {
  const declaration = declarations[method];
  const [base, ...added] = all as [readonly number[], ...(readonly number[])[]];
  const values = Object.fromEntries(declaration.parameters.map(({ name }) => [name, weights]));
  const found = formulaNumbers(declaration, values, { gram: gramOfVectors(all) }, options).values;
  const experts = added.map((own) => own.map((x, k) => base[k]! + x));
  const origin = declaration.needsBase ? base : experts[0]!;
  return origin.map((x, k) =>
    experts.reduce(
      (sum, own, i) => sum + Number(found["factor"]![i]) * (own[k]! - x),
      x * (1 + Number(found["excess"]![0])),
    ),
  );
}

describe.each(combinations)("the combination of %s", (method) => {
  const family = fc.record({ all: vectors, weights: shares }).map(({ all: [base, ...experts], weights }) => {
    const own = taken(method, experts);
    return { all: [base!, ...own], weights: weights.slice(0, own.length) };
  });

  test("has the derivatives by its parameters that small steps say", () => {
    fc.assert(
      fc.property(family, ({ all, weights }) => {
        const declaration = declarations[method];
        const at = (own: readonly number[]): ReturnType<typeof formulaNumbers> =>
          formulaNumbers(declaration, Object.fromEntries(declaration.parameters.map(({ name }) => [name, own])), {
            gram: gramOfVectors(all),
          });
        const found = at(weights);
        for (const name of ["factor", "excess"]) {
          for (const expert of weights.keys()) {
            for (const { parameter, expert: by, slope } of found.slopesOf(name, expert)) {
              const isShared = declaration.parameters.find((spec) => spec.name === parameter)!.per === "model";
              const [up, down] = [1e-6, -1e-6].map((step) => {
                const own = weights.map((weight, i) => (isShared || i === by ? weight + step : weight));
                return Number(at(own).values[name]![expert]);
              });
              expect(Math.abs((up! - down!) / 2e-6 - Number(slope))).toBeLessThan(
                1e-5 * Math.max(1, Math.abs(Number(slope))),
              );
            }
          }
        }
      }),
    );
  });

  test("does not depend on the order of the experts", () => {
    fc.assert(
      fc.property(family, ({ all: [base, ...experts], weights }) => {
        const one = merged(method, [base!, ...experts], weights);
        const other = merged(method, [base!, ...experts.toReversed()], weights.toReversed());
        const largest = Math.max(...one.map(Math.abs));
        for (const [k, value] of one.entries())
          expect(Math.abs(value - other[k]!)).toBeLessThan(1e-7 * Math.max(1, largest));
      }),
    );
  });
});

test.each(["nuslerp", "task_nuslerp", "multislerp", "task_multislerp"] as const)(
  "%s depends on how weights compare, not on how large they are",
  (method) => {
    fc.assert(
      fc.property(vectors, shares, fc.double({ min: 0.5, max: 4, noNaN: true }), ([base, ...experts], weights, by) => {
        const own = taken(method, experts);
        const all = [base!, ...own];
        const given = weights.slice(0, own.length);
        const [one, other] = [given, given.map((weight) => by * weight)].map((values) => merged(method, all, values));
        for (const [k, value] of one!.entries()) expect(other![k]).toBeCloseTo(value, 9);
      }),
    );
  },
);

describe("slerp", () => {
  test("goes from the base to the expert, and keeps to a sphere that both are on", () => {
    const [base, expert] = [
      [3, 0, 0],
      [0, 3, 0],
    ];
    const all = [base, expert.map((x, k) => x - base[k]!)];
    const closeTo = (t: number): number[] => merged("slerp", all, [t]).map((x) => Math.round(x * 1e12) / 1e12);
    expect([closeTo(0), closeTo(1)]).toEqual([base, expert]);
    expect(closeTo(1 / 3)).toEqual([3 * Math.cos(Math.PI / 6), 1.5, 0].map((x) => Math.round(x * 1e12) / 1e12));
  });

  test("goes straight between vectors that are nearly parallel", () => {
    expect(
      merged(
        "slerp",
        [
          [1, 1],
          [0.01, 0.02],
        ],
        [0.25],
      ),
    ).toEqual([1.0025, 1.005]);
  });
});

test("shares that sum to 0 count as equal ones", () => {
  const all = [
    [1, 2, 3],
    [1, 0, 0],
    [0, 1, 0],
  ];
  expect(merged("task_nuslerp", all, [0, 0])).toEqual(merged("task_nuslerp", all, [0.5, 0.5]));
  expect(merged("multislerp", all, [0, 0])).toEqual(merged("multislerp", all, [0.5, 0.5]));
});

test.each([
  ["experts that did not change", "task_multislerp"],
  ["experts that did not change", "task_nuslerp"],
  ["experts that did not change", "model_stock"],
] as const)("%s leave the base as it is: %s", (_, method) => {
  const all = [
    [1, 2],
    [0, 0],
    [0, 0],
  ];
  expect(merged(method, all, [0.3, 0.4])).toEqual([1, 2]);
});

test("opposite differences, which have no mean direction, are summed by weight, and leave model_stock at the base", () => {
  const all = [
    [1, 2],
    [1, 0],
    [-1, 0],
  ];
  expect(merged("task_multislerp", all, [0.5, 0.5])).toEqual([1, 2]);
  expect(merged("model_stock", all, [])).toEqual([1, 2]);
});

test("weights that are not normalized change the length of a multislerp, and not its direction", () => {
  const all = [
    [1, 2],
    [1, 0],
    [0, 3],
  ];
  const long = merged("task_multislerp", all, [0.5, 0.7], { normalize_weights: false });
  const usual = merged("task_multislerp", all, [0.5, 0.7]);
  for (const [k, own] of [1, 2].entries()) expect(long[k]! - own).toBeCloseTo(1.2 * (usual[k]! - own), 12);
});

test("a Karcher mean takes as many steps as it is given, until one is short", () => {
  const all = [
    [0, 0, 0],
    [1, 0, 0.2],
    [0, 2, 0.1],
    [0.3, 0.4, 1],
  ];
  const after = (options: Options): number[] => merged("karcher", all, [], options);
  expect(after({ max_iter: 1 })).not.toEqual(after({ max_iter: 0 }));
  expect(after({ tol: 0.5 })).toEqual(after({ max_iter: 0 }));
  // Steps are told by the direction from which all angles balance.
  const near = after({ max_iter: 1000, tol: 1e-12 });
  const far = after({ max_iter: 1 });
  const usual = after({});
  const gap = (x: readonly number[]): number => Math.hypot(...x.map((value, k) => value - near[k]!));
  expect(gap(usual)).toBeLessThan(1e-4);
  expect(gap(usual)).toBeGreaterThan(0);
  expect(gap(far)).toBeGreaterThan(gap(usual));
});

test("model_stock of differences that point apart stays at the base, and goes on where it is told to, except from opposite ones", () => {
  const all = [
    [1, 2],
    [1, 1],
    [-1, 0.5],
  ];
  expect(merged("model_stock", all, [])).toEqual([1, 2]);
  const cos = -0.5 / Math.hypot(1, 1) / Math.hypot(1, 0.5);
  const ratio = (2 * cos) / (1 + cos);
  const found = merged("model_stock", all, [], { extrapolate: true });
  expect(found[0]).toBeCloseTo(1, 12);
  expect(found[1]).toBeCloseTo(2 + ratio * 0.75, 12);
  const opposite = [all[0]!, [1, 0], [-1, 0]];
  expect(merged("model_stock", opposite, [], { extrapolate: true })).toEqual([1, 2]);
});

test("a combination is not made without inner products", () => {
  expect(() => formulaNumbers(declarations.nuslerp, { weight: [1, 1] })).toThrow(
    "merge: a combination without the inner products of the parents",
  );
});
