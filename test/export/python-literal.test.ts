import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pythonLiteral } from "../../src/export/starter-kit/python-literal.ts";

describe("pythonLiteral", () => {
  test("keeps every double", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = pythonLiteral(value);
        expect(text).toMatch(/^-?\d+(\.\d+(e[+-]\d+)?|e[+-]\d+)$/);
        expect(Number(text)).toBe(value);
      }),
    );
  });

  test("is ASCII for any string, and no control character ends a line", () => {
    fc.assert(
      fc.property(fc.uint16Array({ maxLength: 20 }), (units) => {
        const value = String.fromCharCode(...units);
        expect(pythonLiteral(value)).toMatch(/^"[\x20-\x7e]*"$/);
        expect(JSON.parse(pythonLiteral(value))).toBe(value);
      }),
    );
  });
});
