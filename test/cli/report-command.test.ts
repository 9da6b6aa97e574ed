import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { writeTinyExperiment } from "../tiny-experiment.ts";
import { evomerge } from "./evomerge.ts";

/** A folder with a run that is over, and has no page yet. */
const folder = mkdtempSync(join(tmpdir(), "evomerge-"));
const page = join(folder, "run", "report.html");
beforeAll(async () => {
  await launchRun(await loadExperiment(await writeTinyExperiment(folder)), join(folder, "run"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("evomerge report", () => {
  test("makes page and plots of a run, and says where the page is", async () => {
    const { code, stdout, stderr } = await evomerge(folder, ["report", "run"]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `report: ${page}\n`, stderr: "" });
    expect(readFileSync(page, "utf8")).toContain("Recipe and commands");
    rmSync(page);
    const { stdout: json } = await evomerge(folder, ["report", "run", "--json"]);
    const plots = expect.arrayContaining([join(folder, "run", "plots", "gains.svg")]) as string[];
    expect(JSON.parse(json)).toEqual({ page, plots });
    expect(readFileSync(page, "utf8")).toContain("Recipe and commands");
  });

  test("takes rows from where they are said to be", async () => {
    const { code, stderr } = await evomerge(folder, ["report", "run", "--guard", "none=rows/quiz.guard.jsonl"]);
    const why = 'run: the run has no task with guard rows of its own "none"; expected quiz, news';
    expect({ code, stderr }).toEqual({ code: 1, stderr: `evomerge: ${why}\n` });
    await evomerge(folder, ["report", "run", "--guard", "quiz=rows/quiz.guard.jsonl"]);
    expect(readFileSync(page, "utf8")).not.toContain("Texts are not shown");
  });

  test("replaces nobody else's page, for want of which no run fails", async () => {
    writeFileSync(page, "mine");
    const refused = `${page} is none that evomerge wrote, and would be replaced; move it and write the report again`;
    expect(await evomerge(folder, ["report", "run"])).toEqual({
      code: 1,
      stdout: "",
      stderr: `evomerge: ${refused}\n`,
    });
    const { code, stdout, stderr } = await evomerge(folder, ["resume", "run"]);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining(`\nnote: the report was not written: ${refused}; make it with: `) as string,
    });
    expect(stdout).toContain("export the winner with: ");
    expect(readFileSync(page, "utf8")).toBe("mine");
  });
});
