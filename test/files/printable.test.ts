import * as fc from "fast-check";
import { expect, test } from "vitest";
import { printable, printableJson, printableLine } from "../../src/files/printable.ts";
import { hostileText, obeyed } from "./hostile-text.ts";

test("nothing that a terminal obeys is left of any text but its line ends and tabs", () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      expect(printable(text)).not.toMatch(obeyed);
      expect(printable(text)).not.toMatch(/\p{Cs}/u);
      expect(printable(text).split("\n")).toHaveLength(text.split("\n").length);
      expect(printableLine(text)).not.toMatch(/[\n\t]/);
      expect(printableLine(text)).toBe(printable(text).replaceAll("\n", "\\u000A").replaceAll("\t", "\\u0009"));
    }),
    { numRuns: 2000 },
  );
});

test("JSON holds none of it either, and says the same", () => {
  fc.assert(
    fc.property(hostileText, fc.array(hostileText), (key, texts) => {
      const value = { [key]: texts, text: key };
      const json = printableJson(value);
      expect(json).not.toMatch(obeyed);
      expect(json).not.toMatch(/[\n\t]/);
      expect(JSON.parse(json)).toEqual(value);
    }),
    { numRuns: 2000 },
  );
});

test("what people write stays as it is", () => {
  const text = 'naïve → 日本語 😀 é\u0301 ± 0.5 %\n\t`a|b` \\ "c"';
  expect(printable(text)).toBe(text);
});
