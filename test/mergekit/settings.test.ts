import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { booleanOf, lookUp, type Scalar, type Setting } from "../../src/mergekit/settings.ts";

const at = (setting: Setting, tensor: string, t = 0): unknown => lookUp("weight", [{ weight: setting }], { tensor, t });

describe("lookUp", () => {
  test("draws straight lines between numbers, and gives other values parts of the way", () => {
    expect([0, 0.25, 0.5, 0.75, 1].map((t) => at([0, 1, 3], "x", t))).toEqual([0, 0.5, 1, 2, 3]);
    expect([0, 0.5, 1].map((t) => at([true, false], "x", t))).toEqual([true, true, false]);
    expect(at([0.5], "x", 1)).toBe(0.5);
  });

  test("draws straight lines between numbers that are texts", () => {
    expect([0, 0.5, 1].map((t) => at(["1e-1", "0.9"], "x", t))).toEqual([0.1, 0.5, 0.9]);
  });

  test("takes the first filter that is in the tensor's name, and * for any", () => {
    const setting = [
      { filter: "q_proj", value: [0, 1] },
      { filter: "attn", value: 2 },
      { filter: "*", value: 3 },
    ];
    expect(["self_attn.q_proj", "self_attn.k_proj", "mlp"].map((tensor) => at(setting, tensor, 1))).toEqual([1, 2, 3]);
    expect(at({ filter: "mlp", value: 4 }, "mlp")).toBe(4);
  });

  test("falls through to the next scope where no filter fits", () => {
    const scopes = [{ weight: [{ filter: "mlp", value: 1 }] }, undefined, { other: 5 }, { weight: 2 }];
    expect(lookUp("weight", scopes, { tensor: "mlp", t: 0 })).toBe(1);
    expect(lookUp("weight", scopes, { tensor: "norm", t: 0 })).toBe(2);
    expect(lookUp("density", scopes, { tensor: "norm", t: 0 })).toBeUndefined();
  });
});

describe("booleanOf", () => {
  test.each<[boolean, readonly Scalar[]]>([
    [true, [true, 1, "1.0", "true", "Yes", "on"]],
    [false, [false, 0, "0.0", "FALSE", "no", "off"]],
  ])("is %j for what YAML 1.1 and mergekit write for it", (expected, values) => {
    expect(values.map((value) => booleanOf("normalize", value))).toEqual(values.map(() => expected));
  });

  test("refuses anything else", () => {
    expect(() => booleanOf("normalize", 2)).toThrow(new UserError("normalize: expected true or false, found 2"));
    expect(() => booleanOf("normalize", "maybe")).toThrow(UserError);
  });
});
