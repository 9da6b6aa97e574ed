import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { loadExperiment } from "../../../src/experiment/experiment-file.ts";
import { withOverrides } from "../../../src/experiment/experiment.ts";
import { readJournal } from "../../../src/journal/journal.ts";
import { writeComparePage } from "../../../src/report/compare/compare-page.ts";
import { compareRuns } from "../../../src/report/compare/compare-runs.ts";
import { runsTable } from "../../../src/report/compare/compare-tables.ts";
import { compareText } from "../../../src/report/compare/compare-text.ts";
import { ofCandidate } from "../../../src/report/generation-losses.ts";
import { launchRun } from "../../../src/run/launch-run.ts";
import { evomerge } from "../../cli/evomerge.ts";
import { cutAfter } from "../../cut-run.ts";
import { recorded, newsRows, quizRows, tokenizer, writeRows, writeTinyExperiment } from "../../tiny-experiment.ts";
import { writeTinyModel } from "../../tiny-model.ts";
import { hasChromium, showPage } from "../page/chromium.ts";
import { writeSyntheticRun } from "../synthetic-run.ts";

const folder = mkdtempSync(join(tmpdir(), "evomerge-"));
const at = (name: string): string => join(folder, name);
const HOSTILE = "</title><script>alert(1)</script>";

/** One experiment under two seeds, and another time with other guard rows of one task, of which some are the same. */
beforeAll(async () => {
  const experiment = await loadExperiment(await writeTinyExperiment(folder));
  await launchRun(experiment, at("first"));
  await launchRun(withOverrides(experiment, { seed: 5, budget: { evaluations: 20 } }), at("second"));
  await writeRows(at("other.jsonl"), [...quizRows("guard", 5), ...quizRows("others", 3)]);
  await writeRows(at("news.jsonl"), newsRows("others", 4));
  const [quiz, news] = experiment.tasks;
  const others = [
    { ...quiz!, guard: [at("other.jsonl")] },
    { ...news!, guard: [at("news.jsonl")] },
  ];
  await launchRun({ ...experiment, tasks: others }, at("others"));
  cutAfter(at("first"), readJournal(at("first")).records.length - 2, at("unfinished"));
  writeSyntheticRun(at(`made-up${"x".repeat(100)}`), {
    generations: 3,
    population: 4,
    experts: [HOSTILE],
    tasks: [HOSTILE, "b"],
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Mean losses of the winner on the guard rows, by task, from the journal. */
function meansOf(run: string): readonly number[] {
  const [verdict] = recorded(at(run), "verdict");
  const { models, rowLosses, rows } = verdict!;
  const place = models.findIndex(({ kind }) => kind === "winner");
  const own = ofCandidate(readJournal(at(run)).readNumbers(rowLosses), place, models.length);
  let end = 0;
  return Object.values(rows).map((count) => {
    const losses = own.subarray(end, (end += count));
    return losses.reduce((sum, loss) => sum + loss, 0) / count;
  });
}

/** What differs between the experiments of runs. */
async function matters(...runs: readonly string[]): Promise<string[]> {
  const { differences } = await compareRuns(runs);
  return differences.rows.map(([matter = ""]) => matter);
}

describe("runs that are compared", () => {
  test("have their winners paired on the guard rows of both", async () => {
    const comparison = await compareRuns([at("first"), at("second")]);
    const { gains, notes, runs } = comparison;
    expect(notes).toEqual([]);
    const { header, rows: lines } = runsTable(comparison);
    const accuracies = ["first", "second"].map((name) => {
      const { models } = recorded(at(name), "verdict")[0]!;
      return models.find(({ kind }) => kind === "winner")!.scores["quiz"]!.accuracy!.toFixed(3);
    });
    expect(lines.map((line) => line[header.indexOf("quiz accuracy")])).toEqual(accuracies);
    expect(gains).toHaveLength(1);
    const [{ name, tasks, combined, rows }] = gains as [(typeof gains)[number]];
    expect([name, rows]).toEqual(["second", { quiz: 8, news: 6 }]);
    const [first, second] = [meansOf("first"), meansOf("second")];
    const { scales } = recorded(at("first"), "baselines")[0]!;
    expect([tasks["quiz"]!.gain, tasks["news"]!.gain]).toEqual(
      first.map((mean, i) => expect.closeTo(mean - second[i]!, 12)),
    );
    const each = ["quiz", "news"].map((task, i) => (first[i]! - second[i]!) / scales[task]! / 2);
    expect(combined.gain).toBeCloseTo(each[0]! + each[1]!, 12);
    expect(combined.interval[0]).toBeLessThanOrEqual(combined.gain);
    expect(runs.map(({ status }) => status.evaluations)).toEqual([10, 20]);
    const [turned] = (await compareRuns([at("second"), at("first")])).gains;
    expect(turned!.tasks["quiz"]!.gain).toBeCloseTo(-tasks["quiz"]!.gain, 12);
  });

  test("say what differs in their experiments, and nothing else", async () => {
    const { differences } = await compareRuns([at("first"), at("second")]);
    expect(differences).toEqual({
      header: ["what differs", "first", "second"],
      rows: [
        ["budget", "10 evaluations", "20 evaluations"],
        ["seed", "1", "5"],
      ],
    });
  });

  test("have the same models where these hold the same weights, and other ones where their names alone are the same", async () => {
    const elsewhere = at("elsewhere");
    cpSync(at("base"), join(elsewhere, "copied"), { recursive: true });
    cpSync(at("craft"), join(elsewhere, "craft"), { recursive: true });
    await writeTinyModel(join(elsewhere, "nature"), { tokenizer, perturbed: { seed: 99, by: 0.1 } });
    const experts = (natures: string): object => ({ nature: natures, craft: join(elsewhere, "craft") });
    const file = { base: join(elsewhere, "copied"), search: { algorithm: "random", population: 2 } };
    const launched = async (name: string, natures: string): Promise<string> => {
      const tiny = await writeTinyExperiment(folder, { file: { ...file, experts: experts(natures) } });
      await launchRun(await loadExperiment(tiny), at(name));
      return at(name);
    };
    const [copies, others] = [
      await launched("copies", at("nature")),
      await launched("retrained", join(elsewhere, "nature")),
    ];
    expect(await matters(at("first"), copies)).toEqual(["search"]);
    expect(await matters(copies, others)).toEqual(["experts"]);
    const unread = cutAfter(copies, 1, at("unread"));
    expect(await matters(at("first"), unread)).toEqual(["base", "experts", "search"]);
  });

  test("are compared on the rows that they share, and where there are none, not at all", async () => {
    const { gains, notes } = await compareRuns([at("first"), at("others"), at("unfinished")]);
    expect(gains.map(({ name, rows }) => [name, rows])).toEqual([["others", { quiz: 5 }]]);
    expect(notes).toEqual([
      "unfinished has no winner yet, so that it is compared with none.",
      "The winners of others and first are compared on the guard rows that both met: 5 of quiz (of 8 and 8), 0 of news (of 4 and 6).",
    ]);
  });

  test("are told in a sentence where rows are not at hand", async () => {
    const { gains, notes } = await compareRuns([at("first"), at(`made-up${"x".repeat(100)}`)]);
    expect(gains).toEqual([]);
    expect(notes).toEqual([
      expect.stringMatching(/^The winner of made-upx+… is compared with none, without its guard rows: /),
    ]);
  });

  test("are two or more, and different ones", async () => {
    await expect(compareRuns([at("first")])).rejects.toThrow(UserError);
    await expect(compareRuns([at("first"), join(folder, ".", "first")])).rejects.toThrow(
      "is named twice: expected different runs",
    );
    await expect(compareRuns([at("first"), at("none")])).rejects.toThrow("holds no run");
  });

  test("fit 80 columns", async () => {
    const comparison = await compareRuns(["first", "second", "others", "unfinished"].map(at));
    for (const line of compareText(comparison, 80).split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    expect(compareText(comparison, 200)).toMatch(/^second +[+-]\d\.\d{3} \[/m);
    const two = await compareRuns(["first", "second"].map(at));
    expect(compareText(two, 80)).toMatch(
      /^what differs +first +second\n-+.*\nbudget +10 evaluations +20 evaluations\n/m,
    );
  });

  test("are told by value, with the runs that have it, where there are too many to stand beside each other", async () => {
    const names = ["first", "second", "others", ...Array.from({ length: 7 }, (_, i) => `copy ${i} ${"y".repeat(20)}`)];
    for (const name of names.slice(3)) cutAfter(at("first"), readJournal(at("first")).records.length, at(name));
    const text = compareText(await compareRuns(names.map(at)), 80);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    const told = text.replaceAll(/\n {2}/g, " ");
    const copies = names.slice(3).join(", ");
    expect(told).toContain(`\nbudget: 10 evaluations in first, others, ${copies}; 20 evaluations in second\n`);
    expect(told).toContain(`\nseed: 1 in first, others, ${copies}; 5 in second\n`);
  });

  test("make a page by the command, which replaces nobody else's file", async () => {
    const page = at("page.html");
    const { code, stdout, stderr } = await evomerge(folder, ["compare", "first", "second", "--page", "page.html"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`\npage: ${page}\n`);
    expect(readFileSync(page, "utf8")).toContain("2 runs: first, second");
    const { stdout: json } = await evomerge(folder, ["compare", "first", "second", "--json"]);
    expect(JSON.parse(json)).toMatchObject({ gains: [{ name: "second" }], notes: [] });
    writeFileSync(page, "mine");
    const refused = await evomerge(folder, ["compare", "first", "second", "--page", "page.html"]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(readFileSync(page, "utf8")).toBe("mine");
    rmSync(page);
  });

  test("are asked for by the command in a sentence that says what comes next, where one is named alone", async () => {
    const { code, stdout, stderr } = await evomerge(folder, ["compare", "first"]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(
      /^error: expected two runs or more, found first alone; name another, of those that .+ list shows, or see this one: .+ status first\n/,
    );
  });
});

describe.skipIf(!hasChromium)("the page of compared runs in Chromium", () => {
  test.each(["light", "dark"] as const)(
    "has every run, no fault that axe finds, and hostile names as text, %s",
    async (colorScheme) => {
      const names = ["first", "second", "others", `made-up${"x".repeat(100)}`];
      const path = await writeComparePage(await compareRuns(names.map(at)), at(`${colorScheme}.html`));
      const { page, complaints } = await showPage(path, { colorScheme, viewport: { width: 375, height: 700 } });
      expect(await page.locator('g[class~="runs_marks"], g[class*="layer_0_pathgroup"] > g').count()).toBeGreaterThan(
        0,
      );
      expect(await page.locator("th").allTextContents()).toEqual(expect.arrayContaining(["second", `${HOSTILE} loss`]));
      expect(await page.locator("script").count()).toBe(0);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(375);
      expect(complaints).toEqual([]);
      await page.evaluate(axe.source);
      const found = (await page.evaluate("axe.run()")) as axe.AxeResults;
      expect(found.violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
    },
  );
});
