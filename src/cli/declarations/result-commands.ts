/** Commands about what a run has found; each is loaded when it is used. */
import type { Command } from "@commander-js/extra-typings";
import { movedBase, movedExpert, movedGuard, movedRows } from "../options/moved-options.ts";
import { asJson, runArgument } from "../options/shared-options.ts";

export function declareExport(program: Command): void {
  program
    .command("export")
    .description("write the winner of a run, or its best so far, as a Hugging Face folder")
    .argument(...runArgument)
    .option("--to <folder>", "folder of the model (default: best in the folder of the run)")
    .option(
      "--pick <member>",
      "of the run's front in place of the winner: knee, a task (the best on it) or a place from 1",
    )
    .option("--starter-kit <checkout>", "write it as a class of the LLM-Merging competition's starter kit too")
    .option("--push <org/name>", "upload the folder to the Hugging Face Hub")
    .option("--private", "make the repository private if the upload creates it")
    .option(...movedBase)
    .option(...movedExpert)
    .option(...movedRows)
    .option(...movedGuard)
    .option(...asJson)
    .action(async (run, options) => {
      const { exportCommand } = await import("../commands/export.ts");
      await exportCommand(run, options);
    });
}

export function declareReport(program: Command): void {
  program
    .command("report")
    .description("make a run's page and tables anew, from its journal as it is now")
    .argument(...runArgument)
    .option(...movedRows)
    .option(...movedGuard)
    .option(...asJson)
    .action(async (folder, options) => {
      const { reportCommand } = await import("../commands/report.ts");
      await reportCommand(folder, options);
    });
}

export function declareEvaluate(program: Command): void {
  program
    .command("evaluate")
    .description("evaluate a run's winner and parents, or one model, with lm_eval")
    .argument("<target>", "folder of a run or of a model")
    .argument("[arguments...]", "further arguments of lm_eval, after --")
    .option("--task <names>", "tasks of lm_eval", "mmlu")
    .option("--batch-size <size>", "sequences a batch, or auto", "8")
    .option("--models <names...>", "only these models of the run: winner, base, or experts by name")
    .option("--python <path>", "the Python that has lm_eval")
    .option(...movedBase)
    .option(...movedExpert)
    .option(...movedRows)
    .option(...movedGuard)
    .option(...asJson)
    .action(async (target, args, options) => {
      const { evaluateCommand } = await import("../commands/evaluate.ts");
      await evaluateCommand(target, { ...options, args });
    });
}
