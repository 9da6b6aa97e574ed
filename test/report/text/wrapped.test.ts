import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printableLine } from "../../../src/files/printable.ts";
import { columnsOf, padded, shortened } from "../../../src/report/text/columns.ts";
import { withCommand, wrapped } from "../../../src/report/text/wrapped.ts";
import { hostileText } from "../../files/hostile-text.ts";

const line = fc.oneof(hostileText, fc.string({ unit: "grapheme" })).map(printableLine);
const width = fc.integer({ min: 20, max: 130 });

describe("columnsOf", () => {
  test.each([
    ["evolved merge", 13],
    ["", 0],
    ["模型", 4],
    ["ｆｕｌｌ", 8],
    ["e\u0301te\u0301", 3],
    ["👩‍👩‍👧", 2],
    ["∞ … —", 5],
  ])("of %s is %i", (text, columns) => {
    expect(columnsOf(text)).toBe(columns);
  });

  test("tells how much to put beside a text", () => {
    expect(padded("模型", 6)).toBe("模型  ");
    expect(padded("模型", 6, "right")).toBe("  模型");
  });
});

describe("shortened", () => {
  test.each([
    ["evolved merge", 13, "evolved merge"],
    ["evolved merge", 7, "evo…rge"],
    ["模型模型模型", 7, "模…型"],
  ])("%s in %i columns is %s", (text, columns, short) => {
    expect(shortened(text, columns)).toBe(short);
  });

  test("never takes more columns", () => {
    fc.assert(
      fc.property(line, width, (text, most) => {
        expect(columnsOf(shortened(text, most))).toBeLessThanOrEqual(most);
      }),
    );
  });
});

describe("wrapped", () => {
  test("breaks a sentence between words, and its other lines are indented", () => {
    expect(wrapped("The winner is significantly better than base", 20, { indent: 2 })).toEqual([
      "The winner is",
      "  significantly",
      "  better than base",
    ]);
  });

  test("leaves a number its sign", () => {
    expect(wrapped("better by 91.2 %, or so", 16)).toEqual(["better by", "91.2 %, or so"]);
  });

  test("puts a label before the first line, and as many columns before the others", () => {
    expect(wrapped("device 1 GB of 2 GB, process 3 GB", 24, { label: "memory  " })).toEqual([
      "memory  device 1 GB of 2",
      "        GB, process 3 GB",
    ]);
  });

  test("leaves a word whole that is wider than a line, such as a path, and what fits as it is", () => {
    const path = `/models/${"a".repeat(40)}`;
    expect(wrapped(`wrote ${path} just now`, 20, { indent: 2 })).toEqual(["wrote", `  ${path}`, "  just now"]);
    expect(wrapped("  a   b", 20)).toEqual(["  a   b"]);
  });

  test("is wider than the line in single words only, and loses none", () => {
    fc.assert(
      fc.property(line, line, width, (text, label, columns) => {
        const lines = wrapped(text, columns, { label });
        const wide = lines.filter((one) => columnsOf(one) > columns).map((one) => one.trim());
        const words = [label.trim(), ...text.split(/ (?!%)/)];
        for (const one of wide) expect(words).toContain(one);
        expect(lines.join("").replaceAll(" ", "")).toBe((label + text).replaceAll(" ", ""));
      }),
    );
  });
});

test("a command stands behind its sentence where it fits, else on a line of its own that nothing breaks", () => {
  expect(withCommand("go on with:", "evomerge resume a", 40)).toEqual(["go on with: evomerge resume a"]);
  const command = `evomerge resume ${"results/long name/".repeat(5)}`;
  expect(withCommand("interrupted; go on with:", command, 20)).toEqual([
    "interrupted; go on",
    "  with:",
    `  ${command}`,
  ]);
});
