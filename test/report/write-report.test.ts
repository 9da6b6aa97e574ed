import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readJournal } from "../../src/journal/journal.ts";
import { readRunView, writeReport } from "../../src/report/write-report.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { quizRows, tinyExperiment, writeRows } from "../tiny-experiment.ts";
import { writeSyntheticRun } from "./synthetic-run.ts";

const HOSTILE = '</pre><script>alert(1)</script>\u202E & "x"';

/** A run whose guard rows of the choice task say what no page should obey. */
async function hostileRun(): Promise<string> {
  const folder = await temporaryFolder();
  const experiment = await tinyExperiment(folder);
  const rows = quizRows("guard", 8) as { input: string }[];
  await writeRows(
    join(folder, "rows", "quiz.guard.jsonl"),
    rows.map((row, i) => ({ ...row, input: `${HOSTILE} ${i === 0 ? "long ".repeat(2000) : ""}${row.input}` })),
  );
  const run = join(folder, "run");
  await launchRun(experiment, run);
  return run;
}

describe("writeReport", () => {
  test("writes a page with texts of rows that stay texts, and plots by themselves", async () => {
    const run = await hostileRun();
    const { page, plots } = await writeReport(run);
    const text = await readFile(page, "utf8");
    expect(text).not.toMatch(/<script|\u202E/);
    expect(text).toContain("&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;\\u202E &amp; &quot;x&quot;");
    expect(text).not.toContain("Texts are not shown");
    expect(plots.map((path) => path.slice(run.length + 1))).toEqual([
      "plots/gains.svg",
      "plots/search-and-guard.svg",
      "plots/loss-over-cost.svg",
      "plots/tasks-1.svg",
      "plots/coefficients-weight.svg",
      "plots/rows-won-and-lost.svg",
      "plots/time.svg",
    ]);
    for (const path of plots) {
      const svg = await readFile(path, "utf8");
      // Colours by themselves, not those of a page.
      expect(svg).not.toContain("var(");
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
      expect(svg).toContain('fill="#ffffff"');
    }
  });

  test("finds the rows that won and lost by their losses in the journal", async () => {
    const run = await hostileRun();
    const { changes, verdict } = await readRunView(run);
    const [quiz] = changes?.tasks ?? [];
    const rows = (await readFile(join(run, "..", "rows", "quiz.guard.jsonl"), "utf8")).trim().split("\n");
    const record = readJournal(run).records.findLast(({ type }) => type === "verdict");
    if (record?.type !== "verdict") throw new Error("no verdict");
    const losses = readJournal(run).readNumbers(record.rowLosses);
    const perModel = losses.length / record.models.length;
    const others = record.models.filter(({ kind }) => kind !== "winner").toSorted((a, b) => a.loss - b.loss);
    expect(changes?.other).toBe(others[0]?.name);
    const [winnerAt, otherAt] = [record.models.length - 1, record.models.indexOf(others[0]!)];
    for (const row of [...quiz!.mostWon, ...quiz!.mostLost]) {
      expect(row.winner).toBe(losses[winnerAt * perModel + row.number - 1]);
      expect(row.other).toBe(losses[otherAt * perModel + row.number - 1]);
      const { input, target } = JSON.parse(rows[row.number - 1]!) as { input: string; target: string };
      expect(input).toContain(row.text!.context.slice(-100).replace(/^.*… /s, ""));
      expect(row.text!.answer).toBe(target);
      expect(row.text!.others).toHaveLength(3);
    }
    expect(quiz!.won + quiz!.lost + quiz!.same).toBe(8);
    expect(quiz!.mostWon.length + quiz!.mostLost.length).toBeGreaterThan(0);
    expect(verdict?.gains.length).toBe(3 * (record.models.length - 1));
  });

  test("says why there are no texts where rows have changed, and takes them from where they are said to be", async () => {
    const run = await hostileRun();
    const file = join(run, "..", "rows", "quiz.guard.jsonl");
    const rows = await readFile(file, "utf8");
    await writeFile(file, rows.replaceAll("cave", "hole"));
    const { changes } = await readRunView(run);
    expect(changes?.withoutTexts).toMatch(
      /rows of quiz: expected \w+ as when the run began, found \w+ in .*quiz\.guard\.jsonl/,
    );
    expect(changes?.tasks[0]?.won).toBeGreaterThanOrEqual(0);
    const elsewhere = join(run, "..", "elsewhere.jsonl");
    await writeFile(elsewhere, rows);
    const moved = { guard: { quiz: [elsewhere] } };
    expect((await readRunView(run, { moved })).changes?.withoutTexts).toBeUndefined();
  });

  test.each([
    ["baselines", ["tasks-1", "time"]],
    ["search", ["loss-over-cost", "tasks-1", "time"]],
    ["finalists", ["loss-over-cost", "tasks-1", "coefficients-weight", "time"]],
  ] as const)("shows what there is of a run that has got to its %s", async (until, names) => {
    const folder = await temporaryFolder();
    const run = join(folder, "run");
    writeSyntheticRun(run, { generations: 3, population: 6, until });
    const { page } = await writeReport(run);
    expect((await readdir(join(run, "plots"))).toSorted()).toEqual(names.map((name) => `${name}.svg`).toSorted());
    expect(await readFile(page, "utf8")).toContain("have not been scored");
  });

  test("replaces its own files and nobody else's", async () => {
    const folder = await temporaryFolder();
    const run = join(folder, "run");
    writeSyntheticRun(run, { generations: 2, population: 6 });
    await writeReport(run);
    await writeReport(run);
    await writeFile(join(run, "plots", "gains.svg"), "<svg/>");
    await expect(writeReport(run)).rejects.toThrow("gains.svg is none that evomerge wrote");
    await writeFile(join(run, "report.html"), "<p>mine");
    await expect(writeReport(run)).rejects.toThrow("report.html is none that evomerge wrote, and would be replaced");
    expect(await readFile(join(run, "report.html"), "utf8")).toBe("<p>mine");
    const other = join(folder, "other");
    writeSyntheticRun(other, { generations: 2, population: 6 });
    await symlink(join(folder, "nowhere"), join(other, "report.html"));
    await expect(writeReport(other)).rejects.toThrow("report.html: no such file");
  });

  test("fails in a sentence where a folder stands in the way, or none can be made", async () => {
    const folder = await temporaryFolder();
    const run = join(folder, "run");
    writeSyntheticRun(run, { generations: 2, population: 6 });
    await writeFile(join(run, "plots"), "");
    await expect(writeReport(run)).rejects.toThrow(/cannot write .*plots/);
    await mkdir(join(folder, "b"));
    const closed = join(folder, "b", "run");
    writeSyntheticRun(closed, { generations: 2, population: 6 });
    await mkdir(join(closed, "report.html"));
    await expect(writeReport(closed)).rejects.toThrow("report.html: expected a file that evomerge wrote");
  });

  test("a search of 2,000 candidates of 117 genes is a page of less than a megabyte", async () => {
    const run = join(await temporaryFolder(), "run");
    writeSyntheticRun(run, { generations: 100, population: 20 });
    const { page } = await writeReport(run);
    expect((await readFile(page)).length).toBeLessThan(2 ** 20);
    const { course } = await readRunView(run);
    expect(course.candidates).toHaveLength(1500);
    const { records } = readJournal(run);
    const all = records.flatMap((record) =>
      record.type === "result"
        ? record.losses.filter((loss, i) => i !== record.reference && Number.isFinite(loss))
        : [],
    );
    expect(course.best.at(-1)?.loss).toBe(Math.min(...all));
    expect(course.scored).toBe(2100);
    expect(course.failed).toBe(2);
  });
});
