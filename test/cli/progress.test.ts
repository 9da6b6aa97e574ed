import { describe, expect, test } from "vitest";
import { duration } from "../../src/cli/duration.ts";
import { Progress } from "../../src/cli/progress.ts";
import type { RunEvent } from "../../src/run/events.ts";

/** What a run in two generations tells, and what is written of it. */
const events: readonly RunEvent[] = [
  { type: "progress", phase: "search", share: 0.25 },
  { type: "progress", phase: "search", share: 0.2501 },
  {
    type: "generation",
    generation: 0,
    best: 0.91234,
    mean: 1.00006,
    evaluations: 14,
    elapsedMs: 65_000,
    left: { ms: 3_600_000 },
    replayed: false,
  },
  { type: "skipped", phase: "guard", why: "the budget ended" },
];

/** Shows the events on a stream and returns what it was written. */
function shown(isTTY: boolean): string {
  let written = "";
  const stream = { isTTY, write: (text: string): boolean => ((written += text), true) };
  const progress = new Progress(stream as NodeJS.WriteStream);
  for (const event of events) progress.show(event);
  progress.end();
  return written;
}

describe("Progress", () => {
  const line = "generation 0: best 0.9123, mean 1.0001, 14 evaluated, 1 min 05 s, 1 h 00 min left\n";

  test("writes lines alone where the stream is no terminal", () => {
    expect(shown(false)).toBe(`${line}guard skipped: the budget ended\n`);
  });

  test("keeps one living line on a terminal, which each event replaces and the end removes", () => {
    const clear = "\r\u001B[K";
    expect(shown(true)).toBe(
      [
        `${clear}search 25 %`,
        `${clear}${line}`,
        `${clear}search, 1 h 00 min left`,
        `${clear}guard skipped: the budget ended\n`,
      ].join(""),
    );
  });

  test("does not tell again of generations that a resumed run replays", () => {
    let written = "";
    const stream = { isTTY: false, write: (text: string): boolean => ((written += text), true) };
    new Progress(stream as NodeJS.WriteStream).show({ ...events[2], replayed: true } as RunEvent);
    expect(written).toBe("");
  });
});

describe("duration", () => {
  test.each([
    [-5, "0 s"],
    [499, "0 s"],
    [59_499, "59 s"],
    [59_500, "1 min 00 s"],
    [245_000, "4 min 05 s"],
    [3_599_999, "1 h 00 min"],
    [12_000_000, "3 h 20 min"],
  ])("of %i ms is %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});
