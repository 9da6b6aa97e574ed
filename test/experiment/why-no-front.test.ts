import { describe, expect, test } from "vitest";
import { whyNoFront } from "../../src/experiment/why-no-front.ts";
import type { SearchOptions } from "../../src/experiment/experiment.ts";

const space = { method: "linear" } as const;

describe("a search for a front", () => {
  test.each(["front-walk", "nsga2"] as const)("by %s is of several tasks", (algorithm) => {
    expect(whyNoFront(space, search(algorithm), 2)).toBeUndefined();
    expect(whyNoFront(space, search(algorithm), 1)).toEqual({
      option: "algorithm",
      why: `${algorithm} looks for a front of several tasks, found one task; add another, or leave the algorithm out`,
    });
  });

  test("has a walk for each task and one for all of them", () => {
    expect([3, 5, 100].map((walks) => whyNoFront(space, search("front-walk", walks), 2))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(whyNoFront(space, search("front-walk", 3), 3)).toEqual({
      option: "population",
      why: "front-walk has a walk for each task, one for all of them and others between, expected 4 to 100, found 3; leave it out for 7 at most",
    });
    expect(whyNoFront(space, search("front-walk", 101), 2)?.option).toBe("population");
  });

  test("is none where the algorithm is for one loss, however many tasks there are", () => {
    expect(whyNoFront(space, search("auto"), 1)).toBeUndefined();
    expect(whyNoFront(space, search("cma-es", 2), 1)).toBeUndefined();
    expect(whyNoFront({ method: "stack" }, search("auto"), 1)).toBeUndefined();
  });

  test("by a population of survivors has any size", () => {
    expect(whyNoFront(space, search("nsga2", 2), 3)).toBeUndefined();
  });
});

function search(algorithm: SearchOptions["algorithm"], population: SearchOptions["population"] = "auto") {
  return { algorithm, population };
}
