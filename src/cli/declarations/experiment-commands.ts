/** Commands about an experiment before it is launched; each is loaded when it is used. */
import type { Command } from "@commander-js/extra-typings";
import {
  asJson,
  budgetEvaluations,
  budgetTime,
  anyEngineOption,
  devicesOption,
  experimentArgument,
  fromRun,
  takeOption,
} from "../options/shared-options.ts";

export function declareFetch(program: Command): void {
  program
    .command("fetch")
    .description("bring an experiment's models and rows from the Hub")
    .argument(...experimentArgument)
    .option("--dry-run", "say what would be fetched and what the disk has left; fetch no weights")
    .option(...asJson)
    .action(async (file, options) => {
      const { fetchCommand } = await import("../commands/fetch.ts");
      await fetchCommand(file, options);
    });
}

export function declarePlan(program: Command): void {
  program
    .command("plan")
    .description("say what a run will take, without reading a weight: time, memory, disk, and what binds")
    .argument(...experimentArgument)
    .option("--out <folder>", "folder of the run (default: in results)")
    .addOption(budgetTime)
    .addOption(budgetEvaluations)
    .option(...fromRun)
    .addOption(takeOption())
    .addOption(anyEngineOption())
    .option(...devicesOption)
    .option("--export", "with the export of the winner at the end")
    .option(...asJson)
    .action(async (file, { budget, evaluations, ...options }) => {
      const { planCommand } = await import("../commands/plan.ts");
      await planCommand(file, { ...options, budget: budget ?? evaluations });
    });
}

export function declareCheck(program: Command): void {
  program
    .command("check")
    .description("check an experiment against the rules of the LLM-Merging competition")
    .argument(...experimentArgument)
    .option(...asJson)
    .action(async (file, options) => {
      const { checkCommand } = await import("../commands/check.ts");
      await checkCommand(file, options);
    });
}
