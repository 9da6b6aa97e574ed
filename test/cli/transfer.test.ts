import { describe, expect, test } from "vitest";
import { statusLine } from "../../src/cli/status-line.ts";
import { Transfer } from "../../src/cli/transfer.ts";

const GB = 1e9;

/** A transfer's line in 80 columns at each of these times, in milliseconds, and numbers of bytes. */
function lines(what: string, totalBytes: number, marks: readonly (readonly [bytes: number, ms: number])[]): string[] {
  const transfer = new Transfer(what);
  return marks.map(([bytes, ms]) => statusLine(transfer.status(bytes, totalBytes, ms), 80, { hasBar: true }));
}

describe("Transfer", () => {
  test("shows a bar, bytes, rate and the time left at that rate", () => {
    const marks = [
      [0, 5000],
      [4 * GB, 9000],
    ] as const;
    expect(lines("fetching", 16 * GB, marks)[1]).toBe(
      "[====            ]  25 %  fetching 4.0 GB of 16.0 GB  1.0 GB/s  12 s left",
    );
  });

  test("does not count what was there before into the rate", () => {
    const marks = [
      [8 * GB, 0],
      [8.5 * GB, 1000],
    ] as const;
    expect(lines("fetching", 16 * GB, marks)[1]).toContain("8.5 GB of 16.0 GB  500.0 MB/s  15 s left");
  });

  test("measures the rate over the last seconds, so that a stall shows", () => {
    const steady = Array.from({ length: 21 }, (_, second) => [second * GB, 1000 * second] as const);
    const shown = lines("fetching", 100 * GB, [...steady, [20 * GB, 25_000], [20 * GB, 40_000]]);
    expect(shown.at(-2)).toContain("500.0 MB/s  2 min 40 s left");
    expect(shown.at(-1)).toMatch(/ 0 B\/s$/);
  });

  test("says nothing of the time left before there is a rate, and rounds down what is done", () => {
    expect(lines("pushing", 1000, [[999, 0]])).toEqual(["[=============== ]  99 %  pushing 999 B of 1.0 kB  0 B/s"]);
  });

  test("of nothing is complete", () => {
    expect(lines("fetching", 0, [[0, 0]])[0]).toContain("100 %");
  });
});
