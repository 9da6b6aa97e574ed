import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { WholeRun } from "../../src/cli/whole-run.ts";
import type { Budget } from "../../src/experiment/experiment.ts";
import { exportRun } from "../../src/export/export-run.ts";
import type { RunEvent } from "../../src/run/session/events.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { root } from "../source/source-files.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment } from "../tiny-experiment.ts";
import { VirtualClock } from "../virtual-clock.ts";

/** An event as it was told: when, and what the clock of its run showed. */
interface Told {
  readonly event: RunEvent;
  readonly elapsedMs: number | undefined;
  readonly at: number;
}

/** Everything that a run tells, its export included. */
async function toldBy(
  run: (onEvent: (event: RunEvent, elapsedMs?: number) => void) => Promise<unknown>,
): Promise<Told[]> {
  const told: Told[] = [];
  await run((event, elapsedMs) => void told.push({ event, elapsedMs, at: performance.now() }));
  return told;
}

/** The shares and seconds left that are shown of a run: after each event, and meanwhile ten times. */
function shownOf(told: readonly Told[]): { readonly share: number; readonly parts: readonly string[] }[] {
  const clock = new VirtualClock(told[0]!.at);
  const run = new WholeRun(clock);
  return told.flatMap(({ event, elapsedMs, at }) => {
    const pauseMs = (at - clock.now()) / 10;
    const meanwhile = Array.from({ length: 10 }, () => {
      clock.pass(pauseMs);
      return run.status();
    });
    run.told(event, elapsedMs);
    return [...meanwhile, run.status()].map(({ share = Number.NaN, parts }) => ({
      share,
      parts: parts.map(({ long }) => long),
    }));
  });
}

const MEASURED = { timeout: 600_000 };

describe.each<[string, Budget]>([
  ["time", { seconds: 6 }],
  ["evaluations", { evaluations: 40 }],
])("the share of a whole run under a budget of %s", (kind, budget) => {
  test("never falls, comes near the end only in the end, and is 1 when all is over", MEASURED, async () => {
    const folder = await temporaryFolder();
    const experiment = { ...(await tinyExperiment(folder)), budget };
    const told = await toldBy(async (onEvent) => {
      await launchRun(experiment, join(folder, "run"), { onEvent, exports: true });
      await exportRun(join(folder, "run"), { onEvent });
    });
    const shown = shownOf(told);
    const shares = shown.map(({ share }) => share);
    expect(shares.every((share, i) => share >= (shares[i - 1] ?? 0))).toBe(true);
    expect(shares[0]).toBe(0);
    expect(shares.findIndex((share) => share === 1)).toBe(shares.length - 1);
    const phases = new Set(shown.map(({ parts }) => parts[0]!.replace(/^\d+ /, "")));
    // What a budget of time has room for depends on what else the machine does.
    const sure = kind === "time" ? [] : ["baselines", "generations", "finalists", "guard rows", "export"];
    expect([...phases]).toEqual(expect.arrayContaining(["opening", ...sure]));
    const lastGeneration = told.findLastIndex(({ event }) => event.type === "generation");
    if (lastGeneration < 0) return;
    const searched = told[lastGeneration]!;
    const wholeMs = told.at(-1)!.at - told[0]!.at;
    // In the end of the search it says about how much of the time is over: within a factor of two of what is left.
    if (kind === "time")
      expect(shares[11 * lastGeneration + 10]).toBeGreaterThan((searched.at - told[0]!.at) / wholeMs / 2);
  });
});

test("another budget begins with what is over of it, behind an earlier verdict too", MEASURED, async () => {
  const folder = await temporaryFolder();
  await launchRun(await tinyExperiment(folder), join(folder, "run"));
  const told = await toldBy((onEvent) => resumeRun(join(folder, "run"), { onEvent, budget: { evaluations: 200 } }));
  const shown = shownOf(told);
  const first = told.findIndex(({ event }) => event.type === "generation" && !event.replayed);
  const shares = shown.slice(11 * first).map(({ share }) => share);
  expect(shares[0]).toBeLessThan(0.9);
  expect(shares.every((share, i) => share >= (shares[i - 1] ?? 0))).toBe(true);
  expect(shown[11 * first + 10]!.parts).toContainEqual(expect.stringMatching(/^loss \d\.\d{3} -> \d\.\d{3}$/));
});

test("under a budget of evaluations about as much is told to be left as is, from the first generation on", () => {
  // The machine did other things too: by the first rows baselines and finish would have taken three times as long.
  const path = join(root, "test", "fixtures", "cli", "told-times.json");
  const recorded = JSON.parse(readFileSync(path, "utf8")) as Told[];
  const clock = new VirtualClock(recorded[0]!.at);
  const run = new WholeRun(clock);
  const endAt = recorded.at(-1)!.at;
  const leftTimes = recorded.map(({ event, elapsedMs, at }) => {
    clock.pass(at - clock.now());
    run.told(event, elapsedMs);
    const [, seconds] = /^(\d+) s left$/.exec(run.status().parts.at(-1)!.long) ?? [];
    return { event, seconds: Number(seconds), left: (endAt - at) / 1000 };
  });
  const steps = leftTimes.filter(({ event }) => ["generation", "finalists", "guard"].includes(phaseOf(event)));
  expect(steps.length).toBeGreaterThan(30);
  for (const { seconds, left } of steps) {
    expect(seconds).toBeGreaterThan(left / 1.5 - 2);
    expect(seconds).toBeLessThan(1.5 * left + 2);
  }
});

function phaseOf(event: RunEvent): string {
  return event.type === "progress" ? event.phase : event.type;
}

describe("a run by what it tells", () => {
  const clock = new VirtualClock();
  const run = new WholeRun(clock);
  const line = (): readonly string[] => run.status().parts.map(({ long }) => long);

  test("under a budget of time has left what the budget has, then what its finish takes", () => {
    run.told({ type: "progress", phase: "search", share: 0.5, leftMs: 60_000 }, 40_000);
    expect(run.status().share).toBe(0.4);
    expect(line()).toEqual(["search", "1 min 00 s left"]);
    clock.pass(20_000);
    expect(run.status().share).toBe(0.6);
    expect(line()).toEqual(["search", "40 s left"]);
    run.told({ type: "progress", phase: "guard", share: 0, leftMs: 40_000, afterMs: 2000 }, 60_000);
    clock.pass(10_000);
    run.told({ type: "progress", phase: "guard", share: 0.5, leftMs: 30_000, afterMs: 2000 }, 70_000);
    expect(line()).toEqual(["guard rows", "12 s left"]);
  });

  test("never tells less than it told before, however long the rest becomes", () => {
    const before = run.status().share!;
    run.told({ type: "progress", phase: "guard", share: 0.51, leftMs: 1e6, afterMs: 900_000 }, 70_000);
    expect(run.status().share).toBe(before);
    run.told({ type: "exported", folder: "best", weightsDigest: "00" });
    expect(run.status().share).toBe(1);
  });
});
