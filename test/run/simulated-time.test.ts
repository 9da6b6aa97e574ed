import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Experiment, withOverrides } from "../../src/experiment/experiment.ts";
import { readJournal } from "../../src/journal/journal.ts";
import { standingOf } from "../../src/journal/standing.ts";
import { runReport } from "../../src/report/run-report.ts";
import type { RunEvent } from "../../src/run/session/events.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import type { Outcome } from "../../src/run/carry-on.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { launch } from "../observed-run.ts";
import { simulatedMachine, type Speed } from "../simulated-machine.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { newsRows, quizRows, recorded, tinyExperiment, writeRows } from "../tiny-experiment.ts";

/** The same for a model of so many layers, so that a generation under way is seen to be slow before it is over. */
const DEEP = { layers: 12, speed: { runMs: 48, numberMs: 0.049 } } as const;

/** A candidate takes about 15 s on all search rows, 0.7 s of that for its merge: as a model of 135 M weights on two cores. */
const SLOW: Speed = { runMs: 170, numberMs: 0.173 };

let models: string;
let experiment: Experiment;
let deep: Experiment;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "evomerge-"));
  const search = { algorithm: "cma-es", population: "auto", rowFraction: "auto" };
  experiment = await tinyExperiment(models, { file: { search } });
  deep = await tinyExperiment(join(models, "deep"), { file: { search }, model: { layers: DEEP.layers } });
  for (const folder of [models, join(models, "deep")]) {
    await writeRows(join(folder, "rows", "quiz.jsonl"), quizRows("search", 32));
    await writeRows(join(folder, "rows", "news.jsonl"), newsRows("search", 16));
  }
});
afterAll(() => rm(models, { recursive: true, force: true }));

interface Simulated {
  readonly folder: string;
  readonly events: readonly RunEvent[];
  readonly outcome: Outcome;
  readonly winner: string;
  readonly hasVerdict: boolean;
  /** In seconds: of all, and of what came after the plan and before the finalists. */
  readonly took: number;
  readonly searched: number;
}

async function run(
  seconds: number,
  speed: Parameters<typeof simulatedMachine>[0],
  { exports = true, of = experiment }: { readonly exports?: boolean; readonly of?: Experiment } = {},
): Promise<Simulated> {
  const folder = join(await temporaryFolder(), "run");
  const machine = await simulatedMachine(speed);
  const { events, outcome } = await launch(withOverrides(of, { budget: { seconds } }), folder, { ...machine, exports });
  const [plan] = recorded(folder, "plan");
  const last = recorded(folder, "result").at(-1)?.elapsedMs ?? plan!.elapsedMs;
  return {
    folder,
    events,
    outcome,
    winner: outcome.winner.name,
    hasVerdict: outcome.verdict !== undefined,
    took: machine.wall.now() / 1000,
    searched: (last - plan!.elapsedMs) / 1000,
  };
}

/** Events of a type. */
function only<Type extends RunEvent["type"]>(
  events: readonly RunEvent[],
  type: Type,
): Extract<RunEvent, { type: Type }>[] {
  return events.filter((event): event is Extract<RunEvent, { type: Type }> => event.type === type);
}

describe("on a simulated machine, a run", () => {
  test("does everything where there is time, and says before how long it takes", async () => {
    const { events, took, searched, hasVerdict } = await run(3600, SLOW);
    const [forecast] = only(events, "forecast");
    expect(forecast).toMatchObject({ isSmall: false, budgetMs: 3_600_000 });
    expect(forecast!.generations).toBeGreaterThan(20);
    expect(only(events, "skipped")).toEqual([]);
    expect(only(events, "baselines")[0]!.skipped).toEqual([]);
    expect(hasVerdict).toBe(true);
    expect(took).toBeLessThan(3600);
    expect(searched).toBeGreaterThan(1800);
  });

  test("of 12 minutes searches at least half, and leaves little unused", async () => {
    const { events, took, searched, hasVerdict, winner } = await run(720, SLOW);
    expect(took).toBeLessThan(720);
    expect(took).toBeGreaterThan(0.85 * 720);
    expect(searched).toBeGreaterThan(360);
    expect(only(events, "generation").length).toBeGreaterThan(3);
    expect(hasVerdict).toBe(true);
    expect(winner).toBe("evolved merge");
  });

  test("of 12 minutes takes ten steps by gradient and more, which become shorter as its time passes", async () => {
    const search = { ...experiment.search, algorithm: "gradient-walk" } as const;
    const { folder, took, searched, hasVerdict, winner } = await run(720, SLOW, { of: { ...experiment, search } });
    expect(took).toBeLessThan(720);
    expect(took).toBeGreaterThan(0.85 * 720);
    expect(searched).toBeGreaterThan(360);
    const spent = recorded(folder, "result").map((result) => result.spent);
    expect(spent.length).toBeGreaterThanOrEqual(10);
    expect(spent).toEqual(spent.toSorted((a, b) => a - b));
    expect(spent.at(-1)).toBeGreaterThan(0.9);
    expect(hasVerdict).toBe(true);
    expect(winner).toBe("evolved merge");
  });

  test("by gradient spares rows for its steps where they turn out to take longer than was planned", async () => {
    const search = { ...experiment.search, algorithm: "gradient-walk" } as const;
    const slower = { runMs: 4 * SLOW.runMs, numberMs: 4 * SLOW.numberMs };
    const speed = (now: number): Speed => (now < 700_000 ? SLOW : slower);
    const { folder, took, hasVerdict } = await run(3600, speed, { of: { ...experiment, search } });
    expect(took).toBeLessThan(3600);
    const rows = recorded(folder, "ask").map((ask) => ask.rows["quiz"]!);
    expect(Math.min(...rows)).toBeLessThan(rows[0]!);
    expect(recorded(folder, "result").length).toBeGreaterThan(5);
    expect(hasVerdict).toBe(true);
  });

  test("says at once what does not fit and which budget would do, which does", async () => {
    const { events, took, hasVerdict } = await run(300, SLOW);
    const [forecast] = only(events, "forecast");
    expect(forecast!.isSmall).toBe(true);
    expect(took).toBeLessThan(300);
    expect(hasVerdict).toBe(true);
    const better = await run(forecast!.wholeMs / 1000, SLOW);
    expect(only(better.events, "forecast")[0]).toMatchObject({ isSmall: false });
    expect(only(better.events, "skipped")).toEqual([]);
  });

  test("that is too short for a generation scores what it can and ends with a winner", async () => {
    const { events, took, winner } = await run(45, SLOW);
    expect(took).toBeLessThan(45);
    expect(winner).not.toBe("evolved merge");
    expect(only(events, "skipped").map(({ phase }) => phase)).toContain("search");
    expect(only(events, "baselines")[0]!.models.length).toBeGreaterThan(1);
  });

  test("that has time for one scored merge ends with it", async () => {
    const { events, took, winner, folder } = await run(16, SLOW);
    expect(took).toBeLessThan(16);
    expect(winner).toBe("uniform average");
    expect(recorded(folder, "rung")).toEqual([]);
    expect(only(events, "baselines")[0]!.models).toHaveLength(1);
    expect(only(events, "skipped").map(({ phase }) => phase)).toEqual(["search", "guard"]);
  });

  test("without time for even that says how long it takes, and goes on with what it says", async () => {
    const folder = join(await temporaryFolder(), "run");
    const machine = await simulatedMachine(SLOW);
    const reason: unknown = await launchRun(
      withOverrides(experiment, { budget: { seconds: 1 } }),
      folder,
      machine,
    ).catch((error: unknown) => error);
    const said = (reason as Error).message.replace(folder, "~");
    expect(said).toMatch(
      /^~: the time budget of 1 s ended before one merge was scored on a few rows, which takes about \d+ s here; resume the run with --budget \d+s$/,
    );
    const seconds = Number(/--budget (\d+)s/.exec(said)![1]);
    const { winner } = await resumeRun(folder, { budget: { seconds }, ...(await simulatedMachine(SLOW)) });
    expect(winner.name).not.toBe("evolved merge");
  });

  test.each([3, 8, 20])("ends in time on a machine that becomes %i times slower in its midst", async (times) => {
    const { folder, took, winner, events } = await run(720, (now) => {
      const slowness = now > 300_000 ? times : 1;
      return { runMs: slowness * SLOW.runMs, numberMs: slowness * SLOW.numberMs };
    });
    // The step of the device that the end meets takes that much.
    expect(took).toBeLessThan(720 + 5 * times);
    expect(winner).toBeDefined();
    expect(only(events, "generation").length).toBeGreaterThan(0);
    // Compared on fewer rows than the baselines met, rather than not at all, as long as one model on a few rows fits.
    const [finalists] = recorded(folder, "finalists");
    expect(finalists!.rows !== undefined).toBe(times < 20);
  });

  test.each([
    [440, 2],
    [480, 3],
    [520, 2],
    [560, 2],
  ])("compares and judges a winner on a machine that from second %i on is %i times slower", async (second, times) => {
    const { folder, took, events, hasVerdict, outcome } = await run(
      720,
      (now) => {
        const slowness = now > second * 1000 ? times : 1;
        return { runMs: slowness * DEEP.speed.runMs, numberMs: slowness * DEEP.speed.numberMs };
      },
      { of: deep },
    );
    expect(took).toBeLessThan(720);
    expect(recorded(folder, "finalists")[0]!.rows).toBeDefined();
    expect(hasVerdict).toBe(true);
    // A generation that was begun is told to have been given up, though others were scored.
    const [asked, scored] = [recorded(folder, "ask").length, recorded(folder, "result").length];
    expect(scored).toBeGreaterThan(2);
    const given = only(events, "skipped").filter(({ phase }) => phase === "search");
    expect(given.map(({ why }) => why)).toEqual(asked > scored ? [expect.stringContaining("is given up")] : []);
    const { records } = readJournal(folder);
    expect(outcome).toMatchObject({ gaveUp: asked > scored, generations: scored });
    expect(standingOf(records)).toMatchObject({ gaveUp: asked > scored, generations: scored });
    const sentence = `Generation ${asked - 1} took longer than was expected and was given up`;
    expect(runReport(folder, records, []).includes(sentence)).toBe(asked > scored);
  });

  test("keeps no time for an export that it does not make", async () => {
    const [exported, kept] = [await run(105, SLOW), await run(105, SLOW, { exports: false })];
    const [expected, less] = [exported, kept].map(({ events }) => only(events, "forecast")[0]!.finishMs);
    expect(less).toBeLessThan(expected!);
    // What is not kept goes to the search and to the guard rows.
    expect(kept.took).toBeGreaterThan(exported.took + 10);
    expect(kept.took).toBeLessThan(105);
  });

  test("is not misled by a moment in which few rows take as long as many", async () => {
    const { events, took, searched, hasVerdict } = await run(600, (now) => {
      // The first scoring takes 180 ms. The second takes as long as four times as many rows: nothing seems to depend on rows.
      const times = now > 170 && now < 750 ? 3.3 : 1;
      return { runMs: 10 * times, numberMs: 0.04 * times };
    });
    expect(only(events, "skipped")).toEqual([]);
    expect(only(events, "baselines")[0]!.skipped).toEqual([]);
    expect(searched).toBeGreaterThan(300);
    expect(took).toBeLessThan(600);
    expect(hasVerdict).toBe(true);
  });

  test.each([1000, 5000, 15_000])("goes on after the machine stood still for %i ms, early on", async (ms) => {
    let stood = false;
    const { events, took, searched } = await run(60, (now) => {
      const stands = !stood && now > 400;
      stood ||= stands;
      return { runMs: stands ? ms : 5, numberMs: 0.004 };
    });
    expect(only(events, "generation").length).toBeGreaterThan(5);
    expect(searched).toBeGreaterThan(20);
    expect(took).toBeLessThan(60);
  });

  test("has more generations when the machine becomes faster", async () => {
    const usual = await run(720, SLOW);
    const faster = await run(720, (now) =>
      now > 300_000 ? { runMs: SLOW.runMs / 4, numberMs: SLOW.numberMs / 4 } : SLOW,
    );
    expect(only(faster.events, "generation").length).toBeGreaterThan(2 * only(usual.events, "generation").length);
    expect(faster.took).toBeGreaterThan(0.8 * 720);
  });
});
