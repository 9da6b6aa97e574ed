/** Commands that search, and that score for those who do; each is loaded when it is used. */
import type { Command } from "@commander-js/extra-typings";
import { movedBase, movedExpert, movedGuard, movedRows } from "../options/moved-options.ts";
import { parsePositive, parseEventsFile, parseSeed } from "../options/parse-options.ts";
import {
  asJson,
  budgetEvaluations,
  budgetTime,
  anyEngineOption,
  devicesOption,
  experimentArgument,
  fromRun,
  runArgument,
  takeOption,
} from "../options/shared-options.ts";

const redis = [
  "--redis <url>",
  "score by workers that were told of the same Redis: redis://host or rediss://host",
] as const;

const mixedEngines = ["--mixed-engines", "workers may compute with other engines than the first one"] as const;

const parts = [
  "--parts <count>",
  "deal the rows of each gradient into so many parts at least, which devices and workers share",
  parsePositive,
] as const;

const events = ["--events <file>", "append what happens there, as JSON lines", parseEventsFile] as const;

const tensorboard = ["--tensorboard <folder>", "write losses there as they come, as TensorBoard reads them"] as const;

const watch = ["--watch", "show the run in the browser while it goes on, at an address that is told"] as const;

export function declareRun(program: Command): void {
  program
    .command("run")
    .description("launch an experiment")
    .argument(...experimentArgument)
    .option("--out <folder>", "folder of the run (default: results/<name>)")
    .addOption(budgetTime)
    .addOption(budgetEvaluations)
    .option("--seed <number>", "seed of the search", parseSeed)
    .option(...fromRun)
    .addOption(takeOption())
    .addOption(anyEngineOption())
    .option(...devicesOption)
    .option(...redis)
    .option(...mixedEngines)
    .option(...parts)
    .option("--export", "export the winner at the end")
    .option(...events)
    .option(...tensorboard)
    .option(...watch)
    .option(...asJson)
    .action(async (file, { budget, evaluations, ...options }) => {
      const { runCommand } = await import("../commands/run.ts");
      await runCommand(file, { ...options, budget: budget ?? evaluations });
    });
}

export function declareResume(program: Command): void {
  program
    .command("resume")
    .description("go on with an interrupted run, or with a finished one that is given more budget")
    .argument(...runArgument)
    .addOption(budgetTime)
    .addOption(budgetEvaluations)
    .option(...devicesOption)
    .option(...redis)
    .option(...mixedEngines)
    .option(...parts)
    .option("--export", "export the winner at the end")
    .option(...events)
    .option(...tensorboard)
    .option(...watch)
    .option(...movedBase)
    .option(...movedExpert)
    .option(...movedRows)
    .option(...movedGuard)
    .option(...asJson)
    .action(async (folder, { budget, evaluations, ...options }) => {
      const { resumeCommand } = await import("../commands/run.ts");
      await resumeCommand(folder, { ...options, budget: budget ?? evaluations });
    });
}

export function declareWorker(program: Command): void {
  program
    .command("worker")
    .description("score for runs of an experiment, on this machine or others")
    .argument(...experimentArgument)
    .requiredOption("--redis <url>", "where it meets runs: redis://host, or rediss://host for TLS")
    .option("--name <name>", "by which runs speak of it")
    .addOption(anyEngineOption())
    .action(async (file, options) => {
      const { workerCommand } = await import("../commands/worker.ts");
      await workerCommand(file, options);
    });
}
