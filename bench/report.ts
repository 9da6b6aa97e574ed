/**
 * The page of a search of 10,000 candidates with 117 genes: how long it takes to make, and how large it is. The journal is made up, and
 * written as runs write theirs.
 * `node --import tsx bench/report.ts`
 */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRunView, writeReport } from "../src/report/write-report.ts";
import { writeSyntheticRun } from "../test/report/synthetic-run.ts";
import { machine } from "./machine.ts";

const folder = await mkdtemp(join(tmpdir(), "evomerge-report-"));
try {
  const run = join(folder, "run");
  writeSyntheticRun(run, { generations: 500, population: 20 });
  const { course } = await readRunView(run);
  console.log(machine());
  console.log(`journal of ${course.scored.toLocaleString("en-US")} evaluations`);
  for (const which of ["first, with loading what draws", "second"]) {
    const began = performance.now();
    const { page, plots } = await writeReport(run);
    const seconds = ((performance.now() - began) / 1000).toFixed(2);
    const bytes = (await stat(page)).size;
    const ofPlots = (await Promise.all(plots.map((path) => stat(path)))).reduce((sum, { size }) => sum + size, 0);
    console.log(
      `${which}: ${seconds} s; page ${megabytes(bytes)}, ${plots.length} plots by themselves ${megabytes(ofPlots)}`,
    );
  }
} finally {
  await rm(folder, { recursive: true });
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}
