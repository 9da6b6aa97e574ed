import { describe, expect, test } from "vitest";
import { excerptOf, ShortNames } from "../../../src/report/view/short-text.ts";

describe("excerptOf", () => {
  test("keeps a text that is short enough", () => {
    expect(excerptOf("12345678", 8)).toBe("12345678");
  });

  test("keeps beginning and end of a long one, and says what is between", () => {
    expect(excerptOf(`ab${"-".repeat(9996)}yz`, 4)).toBe("ab … (9,996 of 10,000 characters left out) … yz");
  });

  test("divides no pair of surrogates", () => {
    const cut = excerptOf(`a😀${"-".repeat(20)}😀z`, 4);
    expect(cut).toBe("a … (22 of 26 characters left out) … z");
  });
});

describe("ShortNames", () => {
  test("gives long names that begin alike two names", () => {
    const names = new ShortNames();
    const [first, second] = ["a", "b"].map((end) => names.of(`${"x".repeat(10_000)}${end}`));
    expect(first).toBe(`${"x".repeat(39)}…`);
    expect(second).toBe(`${"x".repeat(39)}… (2)`);
    expect(names.of(`${"x".repeat(10_000)}a`)).toBe(first);
  });

  test("shows what would turn a line", () => {
    expect(new ShortNames().of("a\u202Eb\nc")).toBe("a\\u202Eb\\u000Ac");
  });
});
