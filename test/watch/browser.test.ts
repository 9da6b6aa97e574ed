import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { describe, expect, onTestFinished, test } from "vitest";
import { Journal, readJournal } from "../../src/journal/journal.ts";
import { readRunStatus } from "../../src/report/runs/run-status.ts";
import { watchRun, type WatchOptions } from "../../src/watch/watch-run.ts";
import { command } from "../cli/evomerge.ts";
import { hasChromium, showAddress, type ShownPage } from "../report/page/chromium.ts";
import { type SyntheticRun, writeSyntheticRun } from "../report/synthetic-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeTinyExperiment } from "../tiny-experiment.ts";

const HOSTILE = ["</title><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "long".repeat(1000)] as const;

async function syntheticRun(options: Partial<SyntheticRun> = {}): Promise<string> {
  const folder = join(await temporaryFolder(), "run");
  writeSyntheticRun(folder, { generations: 10, population: 10, ...options });
  return folder;
}

async function show(
  folder: string,
  options: WatchOptions & { colorScheme?: "light" | "dark" } = {},
): Promise<ShownPage> {
  const { colorScheme = "light", ...own } = options;
  const watched = await watchRun(folder, own);
  onTestFinished(() => watched[Symbol.asyncDispose]());
  return showAddress(watched.address, { colorScheme });
}

/** A record after which all is as it was, but for the budget. */
function rebudget(folder: string, seconds: number): void {
  using journal = Journal.open(folder);
  journal.append({ type: "budget", budget: { seconds } });
}

async function candidates(page: Page): Promise<number> {
  return page.locator('#plot-loss-over-cost g[class~="candidates_marks"] > *').count();
}

describe.skipIf(!hasChromium)("a run that is watched in Chromium", () => {
  test("grows, while what is opened, scrolled and has the focus stays so", async () => {
    const folder = await syntheticRun({ until: "search" });
    const journal = join(folder, "journal.jsonl");
    const lines = readFileSync(journal, "utf8").split("\n");
    // As it was in the midst of its search.
    writeFileSync(journal, `${lines.slice(0, 12).join("\n")}\n`);
    const { page, complaints, requests } = await show(folder);
    await page.locator("#plot-loss-over-cost summary").click();
    await page.locator("#plot-loss-over-cost .scroll").focus();
    await page.evaluate("document.querySelector('#plot-loss-over-cost figcaption').scrollIntoView()");
    await page.evaluate("document.querySelector('#plot-loss-over-cost').isKept = true");
    const [before, shown] = [await page.evaluate("window.scrollY"), await candidates(page)];
    writeFileSync(journal, lines.join("\n"));
    await expect.poll(() => candidates(page)).toBeGreaterThan(2 * shown);
    expect(await page.evaluate("document.querySelector('#plot-loss-over-cost').isKept")).toBe(true);
    expect(await page.locator("#plot-loss-over-cost details").getAttribute("open")).toBe("");
    expect(await page.evaluate("document.activeElement.className")).toBe("scroll");
    expect(await page.evaluate("window.scrollY")).toBeGreaterThan(0.8 * Number(before));
    expect(complaints).toEqual([]);
    expect(requests.filter((url) => !url.startsWith("data:") && !url.startsWith(page.url()))).toEqual([]);
  });

  test("keeps the names of strangers as text, in what is told later too", async () => {
    const folder = await syntheticRun({ until: "baselines", experts: HOSTILE });
    const { page, complaints } = await show(folder);
    await rm(folder, { recursive: true });
    writeSyntheticRun(folder, { generations: 3, population: 4, experts: HOSTILE, tasks: [HOSTILE[0], HOSTILE[1]] });
    const cells = page.locator("#verdict ~ .scroll th[scope=row]");
    await cells.first().waitFor();
    expect(await cells.allTextContents()).toEqual(expect.arrayContaining([HOSTILE[0], HOSTILE[1]]));
    expect(await page.locator("script").count()).toBe(1);
    expect(await page.locator("img").count()).toBe(0);
    expect(complaints).toEqual([]);
    await expect.poll(() => page.title()).toContain("winner: evolved merge");
  });

  test.each(["light", "dark"] as const)("has no fault that axe finds, %s", async (colorScheme) => {
    const folder = await syntheticRun();
    rebudget(folder, 60);
    const { page } = await show(folder, { colorScheme });
    await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true");
    await page.evaluate(axe.source);
    const found = (await page.evaluate("axe.run()")) as axe.AxeResults;
    expect(found.violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
  });

  test("says that its server is gone, and goes on when it is there again", async () => {
    const folder = await syntheticRun({ until: "search" });
    const token = "0123456789abcdef0123456789abcdef";
    const first = await watchRun(folder, { token });
    const port = Number(new URL(first.address).port);
    await first[Symbol.asyncDispose]();
    const second = await watchRun(folder, { token, port });
    const { page } = await showAddress(second.address);
    const shown = await candidates(page);
    await second[Symbol.asyncDispose]();
    await page.getByText("The connection is lost").waitFor();
    rebudget(folder, 60);
    const third = await watchRun(folder, { token, port });
    onTestFinished(() => third[Symbol.asyncDispose]());
    await page.locator("progress").waitFor();
    await expect.poll(() => page.locator("#connection").textContent()).toBe("");
    expect(await candidates(page)).toBe(shown);
  });

  test("fits a phone", async () => {
    const folder = await syntheticRun({ experts: HOSTILE });
    const watched = await watchRun(folder);
    onTestFinished(() => watched[Symbol.asyncDispose]());
    const { page } = await showAddress(watched.address, { viewport: { width: 375, height: 700 } });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(375);
  });

  test("is followed from before its beginning, over a kill and its resumption, to its end", async () => {
    const folder = await temporaryFolder();
    const run = join(folder, "run");
    // Far longer than it takes to be seen and killed.
    await writeTinyExperiment(folder, { file: { budget: { evaluations: 4000 } } });
    const { page, complaints } = await show(run);
    expect(await page.locator(".state").textContent()).toContain("Nothing to show yet");
    const launched = start(folder, ["run", "tiny.yaml", "--out", "run"]);
    await expect.poll(() => candidates(page), { timeout: 60_000 }).toBeGreaterThan(3);
    expect(await page.locator(".state").textContent()).toContain("Going on, as process");
    launched.child.kill("SIGKILL");
    await launched.exit;
    await page.getByText("Interrupted, and can be resumed.").waitFor();
    const killedAt = await candidates(page);
    const used = readRunStatus(run).status.evaluations;
    const resumed = start(folder, ["resume", "run", "--evaluations", String(used + 20)]);
    expect(await resumed.exit).toBe(0);
    await page.getByText("Finished.").waitFor();
    // The title comes behind all parts of the page.
    await expect.poll(() => page.title()).toContain("winner: ");
    expect(await candidates(page)).toBeGreaterThan(killedAt);
    expect(readJournal(run).records.at(-1)?.type).toMatch(/verdict|texts/);
    expect(complaints).toEqual([]);
  });
});

/** The program on its own, ended with the test. */
function start(folder: string, args: readonly string[]): { child: ChildProcess; exit: Promise<number | null> } {
  const [node = "", ...main] = command;
  const child = spawn(node, [...main, ...args], { cwd: folder, stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, exit: once(child, "exit").then(([code]) => code as number | null) };
}
