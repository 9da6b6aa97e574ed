import { describe, expect, test } from "vitest";
import { nearestName } from "../../src/config/nearest-name.ts";

describe("nearestName", () => {
  test.each([
    ["wieght", "weight"],
    ["Weight", "weight"],
    ["rnage", "range"],
    ["sigm", "sigma"],
    ["dtc", "dct"],
  ])("takes %s for %s", (name, expected) => {
    expect(nearestName(name, ["dct", "range", "sigma", "weight"])).toBe(expected);
  });

  test("has no suggestion for a name that is far from all, and prefers the nearest", () => {
    expect(nearestName("population", ["range", "sigma"])).toBeUndefined();
    expect(nearestName("ab", ["xy"])).toBeUndefined();
    expect(nearestName("guards", ["guns", "guard"])).toBe("guard");
    expect(nearestName("x", [])).toBeUndefined();
  });
});
