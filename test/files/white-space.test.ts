import { expect, test } from "vitest";
import { strip, stripEnd } from "../../src/files/white-space.ts";

/** What Python's `str.isspace` holds for. */
const all =
  "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";

test("white space is what Python strips", () => {
  expect(strip(`${all}a b\u200b${all}`)).toBe("a b\u200b");
  expect(stripEnd(`${all}a${all}`)).toBe(`${all}a`);
  expect(strip(all)).toBe("");
  expect(strip("\ufeff")).toBe("\ufeff");
});
