import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Status, statusLine } from "../../src/cli/status-line.ts";
import { columnsOf } from "../../src/report/text/columns.ts";

const status: Status = {
  share: 0.314,
  parts: [
    { long: "12 generations", short: "12 gen" },
    { long: "loss 0.248 -> 0.041", short: "0.248 -> 0.041" },
    { long: "2 min 05 s left", short: "2m05s" },
  ],
};

describe("statusLine", () => {
  test.each([
    [120, "[========                    ]  31 %  12 generations  loss 0.248 -> 0.041  2 min 05 s left"],
    [79, "[====           ]  31 %  12 generations  loss 0.248 -> 0.041  2 min 05 s left"],
    [60, "31 %  12 generations  loss 0.248 -> 0.041  2 min 05 s left"],
    [39, "31 %  12 gen  0.248 -> 0.041  2m05s"],
    [30, "31 %  0.248 -> 0.041  2m05s"],
    [20, "31 %  2m05s"],
  ])("in %i columns is %s", (width, line) => {
    expect(statusLine(status, width, { hasBar: true })).toBe(line);
  });

  test("has a bar of one length, whatever is told", () => {
    const told = [
      ["opening"],
      ["guard rows", "9 s left"],
      ["1048 generations", "loss 0.248 -> 0.041", "1 min 05 s left"],
    ];
    const bars = told.map((parts) => {
      const line = statusLine({ share: 0.5, parts: parts.map((long) => ({ long })) }, 79, { hasBar: true });
      return line.indexOf("]");
    });
    expect(bars).toEqual([16, 16, 16]);
  });

  test("has neither bar nor share where none is known, and no bar where nothing moves", () => {
    expect(statusLine({ parts: [{ long: "preparing" }] }, 80, { hasBar: true })).toBe("preparing");
    expect(statusLine(status, 120)).toBe("31 %  12 generations  loss 0.248 -> 0.041  2 min 05 s left");
  });

  test("fits any terminal that is not narrower than its last part, and is full only in the end", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 13, max: 200 }), (share, width) => {
        const line = statusLine({ ...status, share }, width, { hasBar: true });
        expect(columnsOf(line)).toBeLessThanOrEqual(width);
        expect(line).toContain(share === 1 ? "100 %" : ` ${Math.floor(100 * share)} %`.slice(1));
        if (share < 1) expect(line).not.toMatch(/\[=+\]/);
      }),
    );
  });
});
