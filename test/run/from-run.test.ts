import { appendFileSync, cpSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { type Experiment, withOverrides } from "../../src/experiment/experiment.ts";
import { readJournal } from "../../src/journal/journal.ts";
import { standingOf } from "../../src/journal/standing.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { readOutcome } from "../../src/run/read-outcome.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import type { RunEvent } from "../../src/run/session/events.ts";
import { genomeOf } from "../../src/space/spaces.ts";
import { divided } from "../../src/tensor/float64.ts";
import { unpack } from "../../src/tensor/packed.ts";
import { cutAfter } from "../cut-run.ts";
import { interrupt, launch, sharedRun } from "../observed-run.ts";
import { refusal } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { quizRows, recorded, tokenizer, traces, writeRows, writeTinyExperiment } from "../tiny-experiment.ts";
import { tinyModel, writeTinyModel } from "../tiny-model.ts";

const earlier = sharedRun();

/** Experiments of the earlier run's models, and a copy of its folder that may be taken away. */
let here = "";
let run = "";
beforeAll(() => {
  here = join(earlier.folder, "..");
  run = join(here, "a run's <copy>");
  cpSync(earlier.folder, run, { recursive: true });
});

async function fromRun(file: object = {}, from = run): Promise<Experiment> {
  return withOverrides(await loadExperiment(await writtenFile(file)), { from });
}

/** The tiny experiment's file with other keys; its models have the bytes of the earlier run's. */
async function writtenFile(file: object): Promise<string> {
  return writeTinyExperiment(await temporaryFolder(), { file: { ...file } });
}

function lossOf(folder: string, name: string): number {
  const found = recorded(folder, "baselines")[0]!.models.find((model) => model.name === name);
  return found?.loss ?? Number.NaN;
}

describe("a run that begins from another", () => {
  test("has its winner as a baseline and begins there, and needs it no more", async () => {
    const folder = await temporaryFolder();
    const experiment = await fromRun();
    const whole = await launch(experiment, join(folder, "whole"));
    const name = "winner-of-a-run-s--copy-";
    expect(lossOf(whole.folder, name)).toBeCloseTo(earlier.outcome.winner.loss, 12);
    expect(whole.events.find(({ type }) => type === "planned")).toMatchObject({ start: name });
    expect(whole.outcome.verdict!.models.some((model) => model.name === name)).toBe(true);
    expect(whole.outcome.winner.loss).toBeLessThanOrEqual(earlier.outcome.winner.loss);
    expect(whole.outcome.looks).toBe(2);
    expect(standingOf(readJournal(whole.folder).records).looks).toBe(2);

    const parts = join(folder, "parts");
    await interrupt(experiment, parts, ({ type }) => type === "baselines");
    renameSync(run, `${run} away`);
    try {
      await resumeRun(parts);
    } finally {
      renameSync(`${run} away`, run);
    }
    expect(traces(parts)).toEqual(traces(whole.folder));
    await using read = (await readOutcome(parts)).workspace;
    expect(read.experts).toEqual(["nature", "craft"]);
  });

  test("may have a finer space, and an expert more that has no part in what it begins with", async () => {
    const folder = await temporaryFolder();
    // The craft by another name is told by its folder.
    const path = await writtenFile({
      experts: { crafts: join(here, "craft"), third: "third", nature: "nature" },
      space: { method: "task_arithmetic", groups: "tensors", depth: "per-layer" },
      search: { algorithm: "gradient-walk", rowFraction: 1, seedFromBaselines: false },
      budget: { evaluations: 4 },
    });
    await writeTinyModel(join(path, "../third"), { tokenizer, perturbed: { seed: 3, by: 0.1 } });
    const experiment = withOverrides(await loadExperiment(path), { from: earlier.folder });
    const found = await launch(experiment, join(folder, "run"));
    // The unit is another: the average is of three.
    const scores = recorded(found.folder, "baselines")[0]!.models.find(({ name }) => name === "winner-of-run")!.scores;
    expect(scores["quiz"]!.loss).toBeCloseTo(earlier.outcome.winner.scores["quiz"]!.loss, 6);
    const [first] = recorded(found.folder, "result");
    expect(first!.losses[0]).toBeCloseTo(lossOf(found.folder, "winner-of-run"), 6);
    expect(found.events.find(({ type }) => type === "planned")).toMatchObject({ start: "winner-of-run" });
  });

  test("takes the best so far of one that was interrupted, and refuses one that found nothing", async () => {
    const folder = await temporaryFolder();
    const experiment = await loadExperiment(await writtenFile({}));
    const searching = join(folder, "searching");
    await interrupt(experiment, searching, ({ type }) => type === "generation");
    const begun = await launch(await fromRun({}, searching), join(folder, "begun"));
    expect(recorded(searching, "finalists")).toEqual([]);
    const [ask] = recorded(searching, "ask");
    const [{ reference } = { reference: -1 }] = recorded(searching, "result");
    const genome = genomeOf(experiment.space, { base: "base", experts: ["nature", "craft"], model: tinyModel() });
    const points = divided(readJournal(searching).readPoints(ask!.points), genome.dimension);
    expect(experimentIn(begun.folder).recipes).toEqual({
      "best-of-searching": { exported: genome.decode(points[reference]!) },
    });

    const nothing = join(folder, "nothing");
    await interrupt(experiment, nothing, ({ type }) => type === "opened");
    expect(await refusal(launchRun(await fromRun({}, nothing), join(folder, "none")))).toBe(
      `${nothing}: the run has found nothing yet that another could begin from; let it go on first`,
    );
    expect(await refusal(launchRun(await fromRun({}, folder), join(folder, "none")))).toBe(
      `${folder} holds no run: expected the file journal.jsonl in it`,
    );
  });

  test("takes what there is of one that goes on, which it does not disturb, whatever is written of a record", async () => {
    const folder = await temporaryFolder();
    const experiment = await loadExperiment(await writtenFile({}));
    const [going, undisturbed] = [join(folder, "going"), join(folder, "undisturbed")];
    const second = await fromRun({ seed: 3 }, going);
    const begun: Promise<unknown>[] = [];
    const onEvent = ({ type }: RunEvent): void => {
      if (type !== "generation") return;
      begun.push(launchRun(second, join(folder, `begun ${begun.length + 1}`)));
    };
    await launchRun(experiment, going, { onEvent });
    await Promise.all(begun);
    expect(begun).toHaveLength(2);
    await launchRun(experiment, undisturbed);
    expect(traces(going)).toEqual(traces(undisturbed));
    expect(Object.keys(experimentIn(join(folder, "begun 1")).recipes)).toEqual(["best-of-going"]);

    const torn = cutAfter(going, readJournal(going).records.length - 1, join(folder, "torn"));
    appendFileSync(join(torn, "journal.jsonl"), '{"sequence":9,"numberBy');
    await launchRun(await fromRun({}, torn), join(folder, "from torn"));
    expect(Object.keys(experimentIn(join(folder, "from torn")).recipes)).toEqual(["winner-of-torn"]);
  });

  test("is refused where its experts are not those", async () => {
    const folder = await temporaryFolder();
    expect(await refusal(launchRun(await fromRun({ experts: ["nature"] }), join(folder, "run")))).toBe(
      `${run}: what it found is a merge of the expert craft (${join(here, "craft")}), which the experiment does not have; name it among the experts`,
    );
    const swapped = await fromRun({ experts: { nature: "craft", craft: "nature" } });
    expect(await refusal(launchRun(swapped, join(folder, "run")))).toMatch(
      /a run's <copy>: expected expert nature as the run that this one begins from read it, found another tensor model\./,
    );
  });

  test("can be named in the experiment's file, by a folder that is there", async () => {
    const path = await writtenFile({ start: { run: "earlier" } });
    expect(await refusal(loadExperiment(path))).toMatch(
      /start\.run: expected the folder of a run, found none at .*earlier/,
    );
    cpSync(run, join(path, "../earlier"), { recursive: true });
    expect((await loadExperiment(path)).start).toEqual({ run: join(path, "../earlier"), take: "winner" });
  });
});

describe("a run that begins with another's distribution", () => {
  test("begins at its mean as wide as it was, and resumes to the same bits without it", async () => {
    const folder = await temporaryFolder();
    const experiment = withOverrides(await fromRun({ seed: 2 }), { take: "distribution" });
    const whole = await launch(experiment, join(folder, "whole"));
    const { learnt } = (experimentIn(whole.folder) as Experiment).start!.taken!;
    const [plan] = recorded(whole.folder, "plan");
    const start = readJournal(whole.folder).readPoints(plan!.start);
    expect(start).toEqual(Float64Array.from(unpack(learnt!.mean)!));
    expect(unpack(learnt!.covariance)).toHaveLength((start.length * (start.length + 1)) / 2);
    // The mean after the last generation, near which the earlier run's last reference was.
    const [ask] = recorded(run, "ask").slice(-1);
    const last = divided(readJournal(run).readPoints(ask!.points), start.length).at(-1)!;
    expect(Math.max(...start.map((value, i) => Math.abs(value - last[i]!)))).toBeLessThan(0.2);

    const parts = join(folder, "parts");
    await interrupt(experiment, parts, ({ type }) => type === "generation");
    renameSync(run, `${run} away`);
    try {
      await resumeRun(parts);
    } finally {
      renameSync(`${run} away`, run);
    }
    expect(traces(parts)).toEqual(traces(whole.folder));
    // A third run replays the second one, which began with what the first had learnt.
    const third = withOverrides(await fromRun({ seed: 3 }, parts), { take: "distribution" });
    expect((await launch(third, join(folder, "third"))).outcome.looks).toBe(3);
  });

  test("is refused where there is none that fits", async () => {
    const folder = await temporaryFolder();
    const why = async (file: object, from = run): Promise<string> => {
      const experiment = withOverrides(await fromRun(file, from), { take: "distribution" });
      const said = await refusal(launchRun(experiment, join(folder, "none")));
      expect(said).toMatch(/; take its winner \(--take winner\), which needs none of that$/);
      return said.replace(/; take its winner.*/, "").replace(`${from}: its distribution cannot be begun with: `, "");
    };
    const cma = { algorithm: "cma-es", population: 4, rowFraction: 0.5 };
    expect(await why({ search: { algorithm: "sep-cma-es" } })).toBe("it is of cma-es, and the search is by sep-cma-es");
    const space = {
      method: "task_arithmetic",
      groups: [["attention"], ["mlp", "norm", "embedding"]],
      depth: "constant",
    };
    expect(await why({ space, search: cma })).toBe(
      "its genes are others than those of the search space for these experts",
    );
    const search = { algorithm: "gradient-walk" };
    const walk = join(folder, "walk");
    await launch(await loadExperiment(await writtenFile({ search, budget: { evaluations: 4 } })), walk);
    expect(await why({ search }, walk)).toBe("gradient-walk has none, and comes to points alone");
    const short = join(folder, "short");
    await launch(await loadExperiment(await writtenFile({ budget: { evaluations: 1 } })), short);
    expect(await why({}, short)).toBe("it has scored no generation");
  });
});

describe("the guard of a run that begins from another", () => {
  test("is divided off as it was there, whatever the seed", async () => {
    const folder = await temporaryFolder();
    const tasks = { quiz: { rows: "rows/quiz.jsonl" }, news: { rows: "rows/news.jsonl" } };
    const first = join(folder, "first");
    await launch(await loadExperiment(await writtenFile({ tasks, seed: 5 })), first);
    const second = join(folder, "second");
    await launch(await fromRun({ tasks, seed: 6 }, first), second);
    const third = join(folder, "third");
    await launch(await fromRun({ tasks, seed: 7 }, second), third);
    expect(rowsIn(second)).toEqual(rowsIn(first));
    expect(rowsIn(third)).toEqual(rowsIn(first));
    // Another seed divides otherwise.
    const alone = join(folder, "alone");
    await launch(await loadExperiment(await writtenFile({ tasks, seed: 6 })), alone);
    expect(rowsIn(alone)).not.toEqual(rowsIn(first));
  });

  test("has no row that any run before it searched on", async () => {
    const folder = await temporaryFolder();
    const turned = { quiz: { rows: "rows/quiz.guard.jsonl", guard: "rows/quiz.jsonl" } };
    const refused =
      /^tasks\.quiz: .*, which the run begins from, searched on 16 of the 16 guard rows or on others of their groups, such as row ".*"; the guard must be new to it: give guard rows that it did not search on$/;
    expect(await refusal(launchRun(await fromRun({ tasks: turned }), join(folder, "run")))).toMatch(refused);

    // A run in between that neither searched on them nor has them in its guard knows of them all the same.
    const path = await writtenFile({ tasks: { quiz: { rows: "rows/quiz.guard.jsonl", guard: "rows/new.jsonl" } } });
    await writeRows(join(path, "../rows/new.jsonl"), quizRows("new", 8));
    const between = join(folder, "between");
    await launch(withOverrides(await loadExperiment(path), { from: run }), between);
    const [{ looks, searched = [] } = {}] = recorded(between, "start");
    expect(looks).toBeUndefined();
    expect(searched.length).toBeGreaterThan(16);
    const last = withOverrides(await loadExperiment(await writtenFile({ tasks: turned })), { from: between });
    expect(await refusal(launchRun(last, join(folder, "run")))).toMatch(refused);
  });

  test("cannot be judged without the earlier rows, unless they are the same", async () => {
    const folder = await temporaryFolder();
    const experiment = await loadExperiment(await writtenFile({}));
    const first = join(folder, "first");
    await launch(experiment, first);
    const [file] = experiment.tasks[0]!.rows as readonly string[];
    rmSync(file!);
    await launch(await fromRun({}, first), join(folder, "same"));
    const tasks = { quiz: { rows: "rows/quiz.jsonl", guard: "rows/quiz.guard.jsonl" } };
    expect(await refusal(launchRun(await fromRun({ tasks }, first), join(folder, "fewer")))).toBe(
      `whether the guard rows are new to ${first}, which the run begins from, cannot be told without its rows: ${first}: nothing is at ${file} (rows of quiz); if it was moved, say where with --rows quiz=<file>`,
    );
  });
});

function experimentIn(folder: string): { readonly recipes: Readonly<Record<string, unknown>> } {
  return recorded(folder, "start")[0]!.experiment as never;
}

/** What a run says of its rows, both sides of each task. */
function rowsIn(folder: string): (string | undefined)[] {
  const [start] = recorded(folder, "start");
  return ["quiz", "news"].map((task) => start!.identity[`rows of ${task}`]);
}
