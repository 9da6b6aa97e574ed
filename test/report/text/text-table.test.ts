import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columnsOf } from "../../../src/report/text/columns.ts";
import { alignedText } from "../../../src/report/text/text-table.ts";
import { hostileText } from "../../files/hostile-text.ts";

const verdict = {
  header: ["model", "combined", "winner's gain", "winner is", "quiz loss"],
  rows: [
    ["uniform average", "1.000", "+0.040 [-0.060, +0.140]", "neither", "1.250 [1.000, 1.500]"],
    ["模型", "0.823", "", "", "1.250 [1.000, 1.500]"],
  ],
};

describe("a table", () => {
  test("stands in one piece where it fits, however wide its characters are", () => {
    expect(alignedText(verdict, { width: 83 })).toMatchInlineSnapshot(`
      "model            combined            winner's gain  winner is             quiz loss
      ---------------  --------  -----------------------  ---------  --------------------
      uniform average     1.000  +0.040 [-0.060, +0.140]    neither  1.250 [1.000, 1.500]
      模型                0.823                                      1.250 [1.000, 1.500]"
    `);
  });

  test("is several below each other where the terminal is narrower, each with the names", () => {
    expect(alignedText(verdict, { width: 60 })).toMatchInlineSnapshot(`
      "model            combined            winner's gain
      ---------------  --------  -----------------------
      uniform average     1.000  +0.040 [-0.060, +0.140]
      模型                0.823

      model            winner is             quiz loss
      ---------------  ---------  --------------------
      uniform average    neither  1.250 [1.000, 1.500]
      模型                        1.250 [1.000, 1.500]"
    `);
  });

  test("shortens names where the terminal is narrower still", () => {
    expect(alignedText(verdict, { width: 34 })).toMatchInlineSnapshot(`
      "model      combined
      ---------  --------
      unif…rage     1.000
      模型          0.823

      model                winner's gain
      ---------  -----------------------
      unif…rage  +0.040 [-0.060, +0.140]
      模型

      model      winner is
      ---------  ---------
      unif…rage    neither
      模型

      model                 quiz loss
      ---------  --------------------
      unif…rage  1.250 [1.000, 1.500]
      模型       1.250 [1.000, 1.500]"
    `);
  });

  test("leaves out what can be spared, in that order, but no more than it must", () => {
    const runs = {
      header: ["began", "state", "time", "run"],
      rows: [["2026-01-02", "finished", "1m of 1m", "results-with-a-long-name"]],
    };
    const firstLines = [60, 42, 40, 20].map(
      (width) => alignedText(runs, { width, left: [0, 1, 3], spare: [0, 2] }).split("\n")[0],
    );
    expect(firstLines).toEqual([
      "began       state         time  run",
      "state         time  run",
      "state         time  run",
      "state     run",
    ]);
  });

  test("is never wider than the terminal, and has a line for each row in every piece", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(hostileText, { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 20, max: 130 }),
        (cells, width) => {
          // A line without any name and cell would look like what stands between two pieces.
          const [header = [], ...rows] = cells.map(([name, ...others]) => [`:${name}`, ...others]);
          const pieces = alignedText({ header, rows }, { width }).split("\n\n");
          for (const piece of pieces) {
            const lines = piece.split("\n");
            expect(lines).toHaveLength(rows.length + 2);
            for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(width);
          }
        },
      ),
    );
  });
});
