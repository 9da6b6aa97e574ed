/**
 * A process that waits for a line with an experiment file, the folder of a run and the budgets that it is given once it is
 * finished, as a JSON list, and carries the run through to its export from wherever it stands. It says when it begins and
 * when it exports.
 */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { stdin, stdout } from "node:process";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import type { Budget } from "../../src/experiment/experiment.ts";
import { readJournal } from "../../src/journal/journal.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { exportRun } from "../../src/export/export-run.ts";

const [line] = (await once(stdin, "data")) as [Buffer];
const [file, run, budgets] = JSON.parse(line.toString()) as [string, string, Budget[]];
/** Every batch is recorded. */
const partMs = 0;
stdout.write("begins\n");
if (existsSync(join(run, "journal.jsonl"))) await resumeRun(run, { partMs });
else await launchRun(await loadExperiment(file), run, { partMs });
const given = readJournal(run).records.filter(({ type }) => type === "budget").length;
for (const budget of budgets.slice(given)) await resumeRun(run, { partMs, budget });
stdout.write("exports\n");
await exportRun(run);
stdin.destroy();
