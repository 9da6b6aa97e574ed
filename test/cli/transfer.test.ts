import { describe, expect, test } from "vitest";
import { Transfer } from "../../src/cli/transfer.ts";

const GB = 1e9;

describe("Transfer", () => {
  test("shows a bar, bytes, rate and the time left at that rate", () => {
    const transfer = new Transfer("fetching");
    transfer.line(0, 16 * GB, 5000);
    expect(transfer.line(4 * GB, 16 * GB, 9000)).toBe(
      "fetching [======                  ] 25 %, 4.0 GB of 16.0 GB, 1.0 GB/s, 12 s left",
    );
  });

  test("does not count what was there before into the rate", () => {
    const transfer = new Transfer("fetching");
    transfer.line(8 * GB, 16 * GB, 0);
    expect(transfer.line(8.5 * GB, 16 * GB, 1000)).toContain("8.5 GB of 16.0 GB, 500.0 MB/s, 15 s left");
  });

  test("measures the rate over the last seconds, so that a stall shows", () => {
    const transfer = new Transfer("fetching");
    for (let second = 0; second <= 20; second++) transfer.line(second * GB, 100 * GB, 1000 * second);
    expect(transfer.line(20 * GB, 100 * GB, 25_000)).toContain("500.0 MB/s, 2 min 40 s left");
    expect(transfer.line(20 * GB, 100 * GB, 40_000)).toMatch(/ 0 B\/s$/);
  });

  test("says nothing of the time left before there is a rate, and rounds down what is done", () => {
    expect(new Transfer("pushing").line(999, 1000, 0)).toBe(
      "pushing [========================] 99 %, 999 B of 1.0 kB, 0 B/s",
    );
  });

  test("of nothing is complete", () => {
    expect(new Transfer("fetching").line(0, 0, 0)).toContain("100 %");
  });
});
