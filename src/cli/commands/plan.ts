import { loadExperiment } from "../../experiment/experiment-file.ts";
import { type Experiment, withOverrides } from "../../experiment/experiment.ts";
import { planExperiment } from "../../plan/plan-experiment.ts";
import { UserError } from "../../errors.ts";
import { fetchSources, namesHub, planSources, resolveSources, type SourceOptions } from "../../experiment/sources.ts";
import { bytesText } from "../../files/bytes-text.ts";
import { openHub } from "../../hub/api/hub.ts";
import type { RunPlan } from "../../plan/run-plan.ts";
import { interruptionSignal } from "../interruption.ts";
import { print, printJson } from "../output.ts";
import { runPlanText } from "../run-plan-text.ts";
import { Progress } from "../progress.ts";
import type { RunCommandOptions } from "./run.ts";

/** `evomerge plan`: what a run of an experiment will take on this machine. */
export async function planCommand(file: string, options: RunCommandOptions): Promise<void> {
  const given = withOverrides(await loadExperiment(file), options);
  const progress = new Progress();
  const onNotice = (text: string): void => progress.show({ type: "notice", text });
  const common = { signal: interruptionSignal(), onNotice };
  const planned = async (): Promise<RunPlan> =>
    planExperiment(await here(given, file, common), { ...common, folder: options.out ?? ".", exports: options.export });
  const plan = await planned().finally(progress.end);
  if (options.json) printJson(plan);
  else print(runPlanText(plan));
}

/** With folders in the place of names on the Hub, whose files have to be here: a UserError where some are not. */
async function here(experiment: Experiment, file: string, options: SourceOptions): Promise<Experiment> {
  if (!namesHub(experiment)) return experiment;
  const hub = await openHub();
  const sources = await resolveSources(experiment, hub, options);
  const { missingBytes } = await planSources(sources, hub);
  if (missingBytes === 0) return fetchSources(sources, hub, options);
  throw new UserError(
    `${file}: expected models and rows of the Hub in the cache, found ${bytesText(missingBytes)} missing; bring them with evomerge fetch ${file}`,
  );
}
