/** Options and arguments that several commands take. */
import { Option } from "@commander-js/extra-typings";
import { engineNames, type EngineName } from "../../device/engine-names.ts";
import { precisions, startingKinds, type Precision, type StartingKind } from "../../experiment/experiment.ts";
import { type PluginName } from "../../files/plugin-name.ts";
import { parseCount, parseEngine, parsePositive, parseTime } from "./parse-options.ts";

export const experimentArgument = ["<experiment>", "YAML file, or the name of one that ships, such as demo"] as const;

export const runArgument = ["<run>", "folder of the run"] as const;

export const modelArgument = ["<model>", "Hugging Face folder, or org/name@revision of the Hub"] as const;

export const adapterBase = [
  "--base <model>",
  "of an adapter: its base, if it is not where adapter_config.json says",
] as const;

export const engineOption = (): Option<"--engine <name>", undefined, undefined, EngineName> =>
  new Option("--engine <name>", "where to compute").choices(engineNames);

/** Of a machine with several. */
export const devicesOption = [
  "--devices <count>",
  "GPUs of this machine to score on (default: all of the first one's name)",
  parsePositive,
] as const;

/** Of an experiment, whose plugins may have engines of their own. */
export const anyEngineOption = (): Option<"--engine <name>", undefined, undefined, EngineName | PluginName> =>
  new Option("--engine <name>", "where to compute").choices(engineNames).argParser(parseEngine);

/** Of a model that is only scored: nothing is searched that `mixed` could be another precision for. */
export const precisionOption = (): Option<"--precision <name>", undefined, undefined, Exclude<Precision, "mixed">> =>
  new Option("--precision <name>", "of matrix products").choices(precisions.filter((name) => name !== "mixed"));

export const budgetTime = new Option(
  "--budget <time>",
  "wall-clock time for everything, such as 90s, 10m, 1h",
).argParser(parseTime);

export const budgetEvaluations = new Option("--evaluations <count>", "candidates to score, in place of a time")
  .argParser(parseCount)
  .conflicts("budget");

export const fromRun = [
  "--from <run>",
  "folder of an earlier run to begin from, in place of the experiment's start",
] as const;

export const takeOption = (): Option<"--take <what>", undefined, undefined, StartingKind> =>
  new Option("--take <what>", "what of it the search begins with (default: winner)").choices(startingKinds);

export const newTokens = [
  "--max-new-tokens <count>",
  "the most tokens of a text (default: 64)",
  parsePositive,
] as const;

export const untilText = ["--until <text...>", "a text ends before the first of these, such as $'\\n'"] as const;

export const asJson = ["--json", "print the result as JSON"] as const;
