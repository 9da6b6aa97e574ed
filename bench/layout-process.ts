/** A generation as one checkout scores it, in a process of its own; it works when its parent asks. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Experiment } from "../src/experiment/experiment.ts";
import type { Work } from "./generation.ts";
import { timed } from "./interleave.ts";

/** What was opened. */
export interface OpenedLayout {
  /** Of the device. */
  readonly name: string;
  /** An older checkout may know less of it. */
  readonly work: Pick<Work, "tokens" | "computedTokens" | "places">;
}

interface Options extends Record<"folder" | "experiment" | "fraction" | "candidates", string> {
  readonly engine: Experiment["engine"];
  readonly precision: Experiment["precision"];
  readonly derivatives: boolean;
}

const options = JSON.parse(process.argv[2]!) as Options;
const { openGeneration } = await own<typeof import("./generation.ts")>("bench/generation.ts");
const { demoRows } = await own<typeof import("./demo-rows.ts")>("bench/demo-rows.ts");
const { loadExperiment } = await own<typeof import("../src/experiment/experiment-file.ts")>(
  "src/experiment/experiment-file.ts",
);
const experiment = await loadExperiment(options.experiment);
const setting = { ...experiment, engine: options.engine, precision: options.precision };
const rows = await demoRows(experiment, Number(options.fraction));
const { workspace, work, score, differentiate } = await openGeneration(setting, rows, Number(options.candidates));
process.on(
  "message",
  () => void timed(options.derivatives ? differentiate : score).then((timing) => process.send!(timing)),
);
const { tokens, computedTokens, places } = work;
const opened: OpenedLayout = { name: workspace.device.name, work: { tokens, computedTokens, places } };
process.send!(opened);

function own<Module>(file: string): Promise<Module> {
  return import(pathToFileURL(join(options.folder, file)).href) as Promise<Module>;
}
