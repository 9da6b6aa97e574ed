import { loadExperiment } from "../../experiment/experiment-file.ts";
import { withOverrides } from "../../experiment/experiment.ts";
import { planExperiment } from "../../plan/plan-experiment.ts";
import { interruptionSignal } from "../interruption.ts";
import { print, printJson, resultWidth } from "../output.ts";
import { Progress } from "../progress.ts";
import { runPlanText } from "../run-plan-text.ts";
import type { RunCommandOptions } from "./run.ts";

/** `evomerge plan`: what a run of an experiment will take on this machine. */
export async function planCommand(file: string, options: RunCommandOptions): Promise<void> {
  const experiment = withOverrides(await loadExperiment(file), options);
  const progress = new Progress();
  const plan = await planExperiment(experiment, {
    signal: interruptionSignal(),
    onNotice: (text) => progress.show({ type: "notice", text }),
    folder: options.out,
    exports: options.export,
    devices: options.devices,
  }).finally(progress.end);
  if (options.json) printJson(plan);
  else print(runPlanText(plan, resultWidth()));
}
