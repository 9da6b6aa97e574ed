import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { LoggedEvent } from "../../../src/index.ts";
import type { RunEnd, RunEvent } from "../../../src/run/session/events.ts";
import { loggedEvent } from "../../../src/run/session/logged-event.ts";
import { root } from "../../source/source-files.ts";

type Told = RunEvent | RunEnd;
type Kind = Told["type"];
const recipe = { method: "linear", parameters: {} } as const;
const losses = { name: "base", loss: 1, scores: { quiz: { loss: Number.NaN, accuracy: 0.5 } } };
const loggedLosses = { name: "base", loss: 1, scores: { quiz: { loss: "NaN", accuracy: 0.5 } } } as const;
const rows = { quiz: 8 };
const front = [{ of: "base", loss: 1, scores: { quiz: { loss: 1 } } }];
const gain = { gain: 0.1, interval: [-Infinity, 0.2], pValue: 0.04 } as const;
const loggedGain = { gain: 0.1, interval: ["-Infinity", 0.2], pValue: 0.04 } as const;
const guarded = { kind: "parent", intervals: { quiz: [0.9, 1.1] } } as const;
const bytes = { doneBytes: 1, totalBytes: 2 };
const texts = { models: [{ name: "a", scores: { quiz: { rouge1: 1, rouge2: 0, rougeL: 1 } } }], rows, elapsedMs: 3 };
const forecast = { type: "forecast", baselinesMs: 1, generationMs: 2, finishMs: 3, generations: 4 } as const;
const opened = {
  type: "opened",
  folder: "a\u001B[2J",
  engine: "ggml",
  why: "it is there",
  precision: "f32",
  experts: ["a"],
  genome: "4 genes",
  rows: { quiz: { search: 8, guard: 4 } },
  resumed: false,
} as const;
const generation = {
  type: "generation",
  generation: 0,
  mean: 1,
  overall: 0.75,
  baseline: 0.875,
  work: 1.5,
  spent: 0.5,
  elapsedMs: 10,
  left: { evaluations: 5 },
  replayed: false,
} as const;

/** An event of each kind with all its fields. */
const events: { readonly [K in Kind]: Extract<Told, { type: K }> } = {
  notice: { type: "notice", text: "renamed" },
  fetching: { type: "fetching", ...bytes },
  merging: { type: "merging", ...bytes },
  pushing: { type: "pushing", ...bytes },
  opened,
  progress: { type: "progress", phase: "guard", share: 0.5, leftMs: 100, afterMs: 50 },
  forecast: { ...forecast, budgetMs: Infinity, wholeMs: 5, isSmall: false, exports: true },
  baselines: { type: "baselines", models: [{ ...losses, recipe, rows }], skipped: ["stock"] },
  planned: { type: "planned", algorithm: "cma-es", candidates: 5, rowFraction: 0.5, start: "base" },
  generation: { ...generation, best: Infinity },
  restarted: { type: "restarted", candidates: 9, replayed: true },
  finalists: { type: "finalists", models: [losses], winner: "evolved merge", front },
  verdict: {
    type: "verdict",
    models: [{ ...losses, ...guarded, recipe, gains: { combined: gain, tasks: { quiz: gain } } }],
    tasks: ["quiz"],
    rows,
  },
  texts: { type: "texts", texts },
  skipped: { type: "skipped", phase: "guard", why: "the budget ended" },
  stopped: { type: "stopped", phase: "search", why: "no gain" },
  exported: { type: "exported", folder: "best", weightsDigest: "00" },
  ended: { type: "ended", state: "finished", winner: "evolved merge", seconds: 1.5 },
  failed: { type: "failed", sentence: "no such folder", seconds: 1.5 },
};

/** What is written of those that are written otherwise than they are; all others have no number that JSON lacks, and no recipe. */
const changed: { readonly [K in Kind]?: Omit<Extract<LoggedEvent, { type: K }>, "time"> } = {
  forecast: { ...forecast, budgetMs: "Infinity", wholeMs: 5, isSmall: false, exports: true },
  baselines: { type: "baselines", models: [{ ...loggedLosses, rows }], skipped: ["stock"] },
  generation: { ...generation, best: "Infinity" },
  finalists: { type: "finalists", models: [loggedLosses], winner: "evolved merge", front },
  verdict: {
    type: "verdict",
    models: [{ ...loggedLosses, ...guarded, gains: { combined: loggedGain, tasks: { quiz: loggedGain } } }],
    tasks: ["quiz"],
    rows,
  },
};

const kinds = Object.keys(events) as Kind[];
const time = "2026-01-02T03:04:05.678Z";

describe("loggedEvent", () => {
  test.each(kinds)("comes back as it was written: %s", (kind) => {
    const line = JSON.stringify(loggedEvent(events[kind], new Date(time)));
    expect(JSON.parse(line)).toStrictEqual({ time, ...(changed[kind] ?? events[kind]) });
  });

  test("has a type that such lines are of, and whose steps are told apart by their kind", () => {
    const lines: readonly LoggedEvent[] = Object.values(changed).map((event) => ({ time, ...event }));
    const best = lines.flatMap((line) => (line.type === "generation" ? [line.best] : []));
    expect(best).toEqual(["Infinity"]);
  });

  test("tells seconds of the run's clock where it is known", () => {
    expect(JSON.stringify(loggedEvent(events.notice, new Date(time), 1234.5678))).toBe(
      `{"time":"${time}","elapsed":1.235,"type":"notice","text":"renamed"}`,
    );
  });
});

test("docs/events.md names every kind and its fields", () => {
  const table = readFileSync(join(root, "docs", "events.md"), "utf8").matchAll(/^\| `(\w+)` +\| (.*?) +\|/gm);
  const told = Object.fromEntries(
    Array.from(table, ([, kind = "", fields = ""]) => [kind, (fields.match(/\w+/g) ?? []).toSorted()]),
  );
  const fields = kinds.map((kind) => [
    kind,
    Object.keys(events[kind])
      .filter((key) => key !== "type")
      .toSorted(),
  ]);
  expect(told).toEqual(Object.fromEntries(fields));
});
