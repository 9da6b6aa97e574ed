import { join } from "node:path";
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import axe from "axe-core";
import { describe, expect, test } from "vitest";
import { readRunView, writeReport } from "../../../src/report/write-report.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { writeSyntheticRun, type SyntheticRun } from "../synthetic-run.ts";
import { hasChromium, showPage, type ShownPage } from "./chromium.ts";

const LONG = "long".repeat(1000);
const NAMES = ["</title><script>alert(1)</script>", '\u202Eturned & "quoted"', LONG] as const;

async function reportOf(
  options: Partial<SyntheticRun> = {},
): Promise<{ run: string; page: string; plots: readonly string[] }> {
  const run = join(await temporaryFolder(), "run");
  writeSyntheticRun(run, { generations: 30, population: 20, ...options });
  return { run, ...(await writeReport(run)) };
}

/** An expression of each element `one` that a selector finds. */
async function numbers(page: ShownPage["page"], selector: string, expression: string): Promise<number[]> {
  const all = `[...document.querySelectorAll(${JSON.stringify(selector)})]`;
  return (await page.evaluate(`${all}.map((one) => ${expression})`)) as number[];
}

describe.skipIf(!hasChromium)("the page in Chromium", () => {
  test.each(["light", "dark"] as const)("asks for nothing and complains of nothing, %s", async (colorScheme) => {
    const report = await reportOf({ experts: NAMES, tasks: [NAMES[0], LONG] });
    const { page, complaints, requests } = await showPage(report.page, { colorScheme });
    expect(await page.title()).toContain("winner: evolved merge");
    expect(requests.filter((url) => !url.startsWith("data:"))).toEqual([pathToFileURL(report.page).href]);
    expect(complaints).toEqual([]);
    expect(await page.locator("script").count()).toBe(0);
  });

  test("shows hostile names as text, in tables and in plots", async () => {
    const report = await reportOf({ experts: NAMES, tasks: [NAMES[0], LONG] });
    const { page } = await showPage(report.page);
    const cells = await page.locator("#verdict ~ .scroll th[scope=row]").allTextContents();
    expect(cells).toEqual(expect.arrayContaining([NAMES[0], '\\u202Eturned & "quoted"']));
    const labels = await page.locator("#plot-gains text").allTextContents();
    expect(labels.join(" ")).toContain("</title><script>alert(1)</script>".slice(0, 12));
    const lengths = await numbers(page, "td, th, li, text, p", "one.textContent.length");
    expect(Math.max(...lengths)).toBeLessThan(2500);
  });

  test("has the data of every plot", async () => {
    const report = await reportOf({ groups: ["attention", "mlp", "norm"] });
    const view = await readRunView(report.run);
    const { page } = await showPage(report.page);
    const marks = async (plot: string, mark: string): Promise<number> =>
      page.locator(`#plot-${plot} g[class~="${mark}_marks"] > *`).count();
    expect(await page.locator("figure").count()).toBe(report.plots.length);
    const { course, pairs, sides, changes, time, verdict } = view;
    expect(await marks("search-and-guard", "models")).toBe(sides.length);
    expect(await marks("loss-over-cost", "candidates")).toBe(course.candidates.length);
    expect(await marks("loss-over-cost", "baselines")).toBe(course.baselines.length + 1);
    expect(await marks("tasks-1", "candidates")).toBe(pairs[0]!.candidates.length);
    expect(await marks("tasks-1", "models")).toBe(pairs[0]!.models.length);
    // Where they are: each gain, and in its panel as far from 0 as it is large.
    for (const [i, task] of [null, "cosmosqa", "xsum"].entries()) {
      const gains = verdict!.gains.filter((gain) => gain.task === task).map(({ gain }) => gain);
      const [first = 0, ...others] = await numbers(
        page,
        `#plot-gains g[class~="gain_${i}_marks"] > path`,
        "one.getBoundingClientRect().x",
      );
      const scale = (others.at(-1)! - first) / (gains.at(-1)! - gains[0]!);
      for (const [k, place] of others.entries())
        expect(place - first).toBeCloseTo(scale * (gains[k + 1]! - gains[0]!), 0);
    }
    for (const [i, { gains }] of changes!.tasks.entries())
      expect(await marks("rows-won-and-lost", `rows_${i}`)).toBe(gains.length);
    const bars = await page.locator("#plot-time g.mark-rect.role-mark > path").count();
    expect(bars).toBe(2 * time.length);
    for (const i of [0, 1, 2]) {
      expect(await marks("coefficients-weight", `curves_${i}`)).toBe(3);
      expect(await marks("coefficients-weight", `rest_${i}`)).toBe(3);
    }
  });

  test("has a cell for each tensor and layer where tensors have coefficients", async () => {
    const groups = Array.from({ length: 9 }, (_, i) => `tensor-${i}`);
    const report = await reportOf({ groups, generations: 3 });
    const { page } = await showPage(report.page);
    for (const i of [1, 2, 3]) {
      expect(await page.locator(`#plot-coefficients-weight-${i} g[class~="cells_marks"] > path`).count()).toBe(9 * 13);
    }
  });

  test("fits a phone, and has no text that is too small to read there", async () => {
    const report = await reportOf({ experts: NAMES });
    const { page } = await showPage(report.page, { viewport: { width: 375, height: 700 } });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(375);
    const size = "12 * one.getBoundingClientRect().width / one.viewBox.baseVal.width";
    const sizes = await numbers(page, "figure svg", size);
    expect(Math.min(...sizes)).toBeGreaterThan(7);
  });

  test.each(["light", "dark"] as const)("has no fault that axe finds, %s", async (colorScheme) => {
    const report = await reportOf();
    const { page } = await showPage(report.page, { colorScheme });
    expect(await numbers(page, "details", "(one.open = true, 1)")).not.toHaveLength(0);
    await page.evaluate(axe.source);
    const found = (await page.evaluate("axe.run()")) as axe.AxeResults;
    expect(found.violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
    expect(found.passes.length).toBeGreaterThan(10);
  });

  test("has plots that are XML by themselves, with a title and a description", async () => {
    const report = await reportOf({ experts: NAMES });
    const { page } = await showPage(report.page);
    for (const path of report.plots) {
      const svg = await readFile(path, "utf8");
      const parsed = await page.evaluate(
        `(() => { const root = new DOMParser().parseFromString(${JSON.stringify(svg)}, "image/svg+xml").documentElement;
          return [root.localName, root.querySelector("title")?.textContent, root.querySelector("parsererror") === null]; })()`,
      );
      expect(parsed).toEqual(["svg", expect.stringMatching(/\w/), true]);
    }
  });
});
