import { expect, test } from "vitest";
import { declarations, methodNames } from "../../src/merge/declarations.ts";
import { takenBy } from "../../src/mergekit/methods.ts";

test.each(methodNames)(
  "%s takes, or puts into its weights, every parameter of mergekit's that has an effect",
  (name) => {
    const { parameters, options = [], mergekit } = declarations[name];
    const known = new Set([...parameters, ...options].map((own) => own.name));
    const given = Object.entries(takenBy(mergekit.method ?? name)).filter(
      ([, { isWithoutEffect }]) => !isWithoutEffect,
    );
    const unknown = given.flatMap(([key]) => (known.has(key) || key in mergekit.parameters ? [] : [key]));
    expect(unknown).toEqual([]);
  },
);
