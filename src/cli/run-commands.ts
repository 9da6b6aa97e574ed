/** Commands that look at runs and change nothing; each is loaded when it is used. */
import type { Command } from "@commander-js/extra-typings";
import { movedGuard, movedRows } from "./moved-options.ts";
import { parsePort, parseWeights } from "./parse-options.ts";

/** Declares what tells how runs stand. */
export function addRunCommands(program: Command): void {
  program
    .command("list")
    .description("list the runs of a folder: state, time, what was found")
    .argument("[folder]", "folder of the runs' folders", "results")
    .option("--json", "print the result as JSON")
    .action(async (folder, options) => {
      const { listCommand } = await import("./commands/list.ts");
      listCommand(folder, options);
    });

  program
    .command("status")
    .description("say how a run stands and what comes next, also while it goes on")
    .argument("<run>", "folder of the run")
    .option("--json", "print the result as JSON")
    .action(async (folder, options) => {
      const { statusCommand } = await import("./commands/status.ts");
      statusCommand(folder, options);
    });

  program
    .command("rerank")
    .description("rank a run's models under other weights of its tasks, from the losses in its journal")
    .argument("<run>", "folder of the run")
    .requiredOption("--weights <task=weight,...>", "such as cosmosqa=2,xsum=1; the others keep theirs", parseWeights)
    .option(...movedRows)
    .option(...movedGuard)
    .option("--json", "print the result as JSON")
    .action(async (folder, options) => {
      const { rerankCommand } = await import("./commands/rerank.ts");
      await rerankCommand(folder, options);
    });

  program
    .command("watch")
    .description("show a run in the browser, as it goes on, until it is interrupted")
    .argument("<run>", "folder of the run")
    .option("--port <number>", "of the page's address, so that it stays the same (default: any)", parsePort)
    .action(async (folder, options) => {
      const { watchCommand } = await import("./commands/watch.ts");
      await watchCommand(folder, options);
    });

  program
    .command("compare")
    .description("compare runs: their winners on guard rows that they share, and what differs in their experiments")
    .argument("<run>", "folder of the run that others are compared with")
    .argument("<runs...>", "folders of the others")
    .option("--page <file>", "write a page of it there")
    .option("--json", "print the result as JSON")
    .action(async (first, others, options) => {
      const { compareCommand } = await import("./commands/compare.ts");
      await compareCommand([first, ...others], options);
    });
}
