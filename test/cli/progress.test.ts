import { describe, expect, test } from "vitest";
import { duration } from "../../src/report/duration.ts";
import { LivingText } from "../../src/cli/output.ts";
import { eventLines } from "../../src/cli/event-lines.ts";
import { Progress } from "../../src/cli/progress.ts";
import type { RunEvent } from "../../src/run/session/events.ts";
import { VirtualClock } from "../virtual-clock.ts";

/** What a run in two generations tells, and what is written of it. */
const events: readonly RunEvent[] = [
  {
    type: "opened",
    folder: "run",
    engine: "ggml",
    why: "alone",
    precision: "f32",
    experts: [],
    genome: "4 genes",
    rows: {},
    resumed: false,
  },
  { type: "progress", phase: "search", share: 0.25, leftMs: 90_000 },
  { type: "progress", phase: "search", share: 0.2501, leftMs: 90_000 },
  {
    type: "generation",
    generation: 0,
    best: 0.91234,
    mean: 1.00006,
    overall: 0.93,
    baseline: 0.95,
    work: 1.44,
    spent: 0.02,
    elapsedMs: 65_000,
    left: { ms: 3_600_000 },
    replayed: false,
  },
  { type: "skipped", phase: "guard", why: "the budget ended" },
];

/** Shows events on a stream, one each `pauseMs`, and returns what it was written. */
function shown(isTTY: boolean, shown: readonly RunEvent[] = events, pauseMs = 1000): string {
  let written = "";
  const stream = { isTTY, columns: 200, write: (text: string): boolean => ((written += text), true) };
  const clock = new VirtualClock();
  const progress = new Progress(eventLines, new LivingText(stream, { COLUMNS: "10000" }), clock);
  for (const event of shown) {
    progress.show(event, clock.now());
    clock.pass(pauseMs);
  }
  progress.end();
  return written;
}

/** A transfer of 2 GB that has come to each of these percents. */
function transfer(type: "fetching" | "pushing", percents: readonly number[]): RunEvent[] {
  return percents.map((percent) => ({ type, doneBytes: percent * 2e7, totalBytes: 2e9 }));
}

/** The percents that lines tell of. */
function percentsIn(text: string): number[] {
  return Array.from(text.matchAll(/(\d+) %/g), ([, percent]) => Number(percent));
}

describe("Progress", () => {
  const opened = "run run\nengine: ggml, f32; alone\nsearch space: 4 genes\nrows: \n";
  const generation = " 3 %  1 generation  loss 0.950 -> 0.930  1 min 29 s left\n";

  test("writes lines alone where the stream is no terminal", () => {
    expect(shown(false)).toBe(`${opened}${generation}guard skipped: the budget ended\n`);
  });

  test("says of a random search that what is beside its candidates is the best so far, and no mean", () => {
    const planned: RunEvent = { type: "planned", algorithm: "random", candidates: 5, rowFraction: 0.1, start: "base" };
    expect(shown(false, [planned])).toBe(
      "search: random from base; a generation is 4 candidates and the best so far, on 10 % of the rows\n" +
        "loss: the best baseline's -> the search's, by the rows that it met lately\n",
    );
  });

  test("keeps one living line on a terminal, which tells the time each second, and which the end removes", () => {
    const clear = "\r\u001B[K";
    const empty = "[                            ]";
    const begun = "[=                           ]";
    expect(shown(true, events.slice(0, 2), 2500)).toBe(
      [
        opened,
        `${clear}${empty}   0 %  opening`,
        `${clear}${empty}   2 %  search  1 min 30 s left`,
        `${clear}${empty}   3 %  search  1 min 30 s left`,
        `${clear}${begun}   4 %  search  1 min 29 s left`,
        `${clear}${begun}   5 %  search  1 min 28 s left`,
        clear,
      ].join(""),
    );
  });

  test("writes of many generations those that are a tenth of the search apart", () => {
    const one = events.find((event) => event.type === "generation")!;
    const many = Array.from({ length: 400 }, (_, i): RunEvent => ({
      ...one,
      generation: i,
      spent: (i + 1) / 400,
    }));
    const planned: RunEvent = { type: "planned", algorithm: "random", candidates: 5, rowFraction: 0.1, start: "base" };
    const lines = shown(false, [events[0]!, planned, ...many], 1)
      .split("\n")
      .slice(6, -1);
    expect(lines.length).toBeGreaterThan(8);
    expect(lines.length).toBeLessThanOrEqual(11);
    expect(lines[0]).toContain("  1 generation  loss 0.950 -> 0.930");
  });

  test("says what a run will take, and of a small budget which one would do", () => {
    const forecast = {
      type: "forecast",
      baselinesMs: 61_000,
      generationMs: 20_000,
      finishMs: 45_000,
      generations: 18,
      budgetMs: 600_000,
      wholeMs: 1_234_000,
      isSmall: false,
      exports: true,
    } as const;
    const expected =
      "expected: baselines 1 min 01 s, 18 generations of 20 s, finish and export 45 s; the budget is 10 min 00 s\n";
    expect(shown(false, [forecast])).toBe(expected);
    expect(shown(false, [{ ...forecast, generations: 0, isSmall: true }])).toContain(
      "the budget is small for these models and rows: no generation fits, so that the best of a few baselines will win; all of it and enough generations take --budget 21m\n",
    );
    expect(shown(false, [{ ...forecast, budgetMs: Infinity }])).toContain("export 45 s\n");
    expect(shown(false, [{ ...forecast, exports: false, generations: 1, generationMs: 310 }])).toContain(
      ", 1 generation of 0.31 s, finish 45 s; ",
    );
  });

  test("writes a note of its own for a notice", () => {
    const text = "org/a is called org/b now";
    expect(shown(false, [{ type: "notice", text }])).toBe(`note: ${text}\n`);
  });

  test("keeps one living line of a transfer on a terminal", () => {
    const clear = "\r\u001B[K";
    expect(shown(true, [...transfer("fetching", [0, 25, 25]), { type: "notice", text: "renamed" }])).toBe(
      [
        `${clear}[                            ]   0 %  fetching 0 B of 2.0 GB  0 B/s`,
        `${clear}[=======                     ]  25 %  fetching 500.0 MB of 2.0 GB  500.0 MB/s  3 s left`,
        `${clear}[=======                     ]  25 %  fetching 500.0 MB of 2.0 GB  250.0 MB/s  6 s left`,
        `${clear}note: renamed\n`,
        `${clear}[=======                     ]  25 %  fetching 500.0 MB of 2.0 GB  250.0 MB/s  6 s left`,
        clear,
      ].join(""),
    );
  });

  test("writes a line at each tenth of a transfer where the stream is no terminal", () => {
    const all = Array.from({ length: 101 }, (_, percent) => percent);
    const lines = shown(false, transfer("fetching", all)).trimEnd().split("\n");
    expect(percentsIn(lines.join("\n"))).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    expect(lines[4]).toBe("50 %  fetching 1.0 GB of 2.0 GB  20.0 MB/s  50 s left");
  });

  test("begins with the next tenth where an earlier fetch left some", () => {
    expect(percentsIn(shown(false, transfer("fetching", [75, 79, 83, 84, 100])))).toEqual([83, 100]);
  });

  test.each([true, false])("does not tell of what is complete from the start (terminal: %s)", (isTTY) => {
    expect(shown(isTTY, transfer("fetching", [100, 100]), 100)).toBe("");
  });

  test("tells of an upload after a download", () => {
    const events = [...transfer("fetching", [0, 100]), ...transfer("pushing", [0, 50, 100])];
    const starts = shown(false, events).match(/(?<=^\d+ % {2})\w+/gm);
    expect(starts).toEqual(["fetching", "pushing", "pushing"]);
  });

  test("tells of a download after another, of more bytes", () => {
    const small: RunEvent = { type: "fetching", doneBytes: 0, totalBytes: 1000 };
    const events = [small, { ...small, doneBytes: 1000 }, ...transfer("fetching", [1, 50, 100])];
    expect(percentsIn(shown(false, events))).toEqual([100, 50, 100]);
  });

  test("writes ten times a second at most, and the end in any case", () => {
    const percents = Array.from({ length: 101 }, (_, percent) => percent);
    expect(percentsIn(shown(true, transfer("fetching", percents), 3))).toEqual([0, 34, 68, 100]);
  });

  test("does not tell again of generations that a resumed run replays", () => {
    let written = "";
    const stream = { isTTY: false, write: (text: string): boolean => ((written += text), true) };
    new Progress(eventLines, new LivingText(stream, { COLUMNS: "10000" })).show({
      ...events[3],
      replayed: true,
    } as RunEvent);
    expect(written).toBe("");
  });
});

/** Progress on a stream where no line can live, and the lines that it has written. */
function heard(): {
  readonly lines: () => string[];
  readonly clock: VirtualClock;
  readonly progress: Progress<RunEvent>;
} {
  let written = "";
  const stream = { isTTY: false, write: (text: string): boolean => ((written += text), true) };
  const clock = new VirtualClock();
  const progress = new Progress(eventLines, new LivingText(stream, { COLUMNS: "10000" }), clock);
  return { lines: () => written.split("\n").slice(0, -1), clock, progress };
}

describe("a silence where no line can live", () => {
  test("is broken every 30 s by phase, share and time left, also before there is an event", () => {
    const { lines, clock, progress } = heard();
    clock.pass(30_000);
    for (const share of [0, 0.1, 0.2]) {
      progress.reach("score of 12 rows", share);
      clock.pass(25_000);
    }
    expect(lines()).toEqual([
      "preparing: looking at models and rows, 30 s so far",
      "10 %  score of 12 rows  3 min 40 s left",
      "20 %  score of 12 rows  3 min 10 s left",
    ]);
  });

  test("goes on being broken while a phase says nothing, until the end", () => {
    const { lines, clock, progress } = heard();
    progress.reach("guard", 0.5);
    clock.pass(61_000);
    expect(lines()).toEqual(Array(2).fill("50 %  guard"));
    progress.end();
    clock.pass(1e6);
    expect(lines()).toHaveLength(2);
  });

  test("is broken while a run goes on by what is over and left of the whole", () => {
    const { lines, clock, progress } = heard();
    for (const event of events.slice(0, 4)) progress.show(event, 10_000);
    clock.pass(61_000);
    expect(lines().slice(4)).toEqual([
      "10 %  1 generation  loss 0.950 -> 0.930  1 min 30 s left",
      "40 %  1 generation  loss 0.950 -> 0.930  1 min 00 s left",
      "70 %  1 generation  loss 0.950 -> 0.930  30 s left",
    ]);
  });

  test("begins anew with every line", () => {
    const { lines, clock, progress } = heard();
    clock.pass(29_000);
    progress.show({ type: "notice", text: "one" });
    clock.pass(29_000);
    progress.show({ type: "notice", text: "two" });
    clock.pass(29_000);
    expect(lines()).toEqual(["note: one", "note: two"]);
  });

  test("counts a phase that was begun before from where it goes on", () => {
    const { lines, clock, progress } = heard();
    progress.show({ type: "progress", phase: "baselines", share: 0.5 });
    clock.pass(10_000);
    progress.show({ type: "progress", phase: "baselines", share: 0.75 });
    clock.pass(20_000);
    expect(lines()).toEqual(["75 %  baselines"]);
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
