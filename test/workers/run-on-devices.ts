/** A process that carries a run through on devices; its argument is JSON of an experiment file, a folder and how many there are. */
import type { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { argv, stdout } from "node:process";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { severalDevices } from "./several-devices.ts";

// Its own children, told by their number.
subscribe("child_process", (message) => {
  const { process: child } = message as { readonly process: ChildProcess };
  child.once("spawn", () => stdout.write(`${child.pid}\n`));
});
const { file, folder, devices } = JSON.parse(argv[2] ?? "") as { file: string; folder: string; devices: number };
const experiment = await loadExperiment(file);
await launchRun(experiment, folder, {
  engine: await severalDevices(experiment, devices),
  onEvent: ({ type }) => void stdout.write(`${type}\n`),
});
