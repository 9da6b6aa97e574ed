/**
 * A process that waits for a line with an experiment file and the folder of a run, as a JSON list, and carries the run
 * through to its export from wherever it stands. It says when it begins and when it exports.
 */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { stdin, stdout } from "node:process";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { launchRun, resumeRun } from "../../src/run/run-experiment.ts";
import { exportRun } from "../../src/export/export-run.ts";

const [line] = (await once(stdin, "data")) as [Buffer];
const [file, run] = JSON.parse(line.toString()) as [string, string];
/** Every batch is recorded. */
const partMs = 0;
stdout.write("begins\n");
if (existsSync(join(run, "journal.jsonl"))) await resumeRun(run, { partMs });
else await launchRun(await loadExperiment(file), run, { partMs });
stdout.write("exports\n");
await exportRun(run);
stdin.destroy();
