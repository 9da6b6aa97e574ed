/** Commands that look at runs and change nothing; each is loaded when it is used. */
import type { Command } from "@commander-js/extra-typings";
import { printableLine } from "../../files/printable.ts";
import { commandFor, ownCommand } from "../invocation.ts";
import { movedGuard, movedRows } from "../options/moved-options.ts";
import { parsePort, parseWeights } from "../options/parse-options.ts";
import { asJson, runArgument } from "../options/shared-options.ts";

export function declareList(program: Command): void {
  program
    .command("list")
    .description("list the runs of a folder: state, time, what was found")
    .argument("[folder]", "folder of the runs' folders", "results")
    .option(...asJson)
    .action(async (folder, options) => {
      const { listCommand } = await import("../commands/list.ts");
      listCommand(folder, options);
    });
}

export function declareStatus(program: Command): void {
  program
    .command("status")
    .description("say how a run stands and what comes next, also while it goes on")
    .argument(...runArgument)
    .option(...asJson)
    .action(async (folder, options) => {
      const { statusCommand } = await import("../commands/status.ts");
      statusCommand(folder, options);
    });
}

export function declareRerank(program: Command): void {
  program
    .command("rerank")
    .description("rank a run's models under other weights of its tasks, from the losses in its journal")
    .argument(...runArgument)
    .requiredOption("--weights <task=weight,...>", "such as cosmosqa=2,xsum=1; the others keep theirs", parseWeights)
    .option(...movedRows)
    .option(...movedGuard)
    .option(...asJson)
    .action(async (folder, options) => {
      const { rerankCommand } = await import("../commands/rerank.ts");
      await rerankCommand(folder, options);
    });
}

export function declareWatch(program: Command): void {
  program
    .command("watch")
    .description("show a run in the browser, as it goes on, until it is interrupted")
    .argument(...runArgument)
    .option("--port <number>", "of the page's address, so that it stays the same (default: any)", parsePort)
    .action(async (folder, options) => {
      const { watchCommand } = await import("../commands/watch.ts");
      await watchCommand(folder, options);
    });
}

export function declareCompare(program: Command): void {
  program
    .command("compare")
    .description("compare runs: their winners on guard rows that they share, and what differs in their experiments")
    .argument("<run>", "folder of the run that others are compared with")
    .argument("[runs...]", "folders of the others, one or more")
    .option("--page <file>", "write a page of it there")
    .option(...asJson)
    .usage("[options] <run> <runs...>")
    .action(async (first, others, options, command) => {
      if (others.length === 0) {
        command.error(
          `error: expected two runs or more, found ${printableLine(first)} alone; name another, of those that ${ownCommand()} list shows, or see this one: ${printableLine(commandFor("status", first))}`,
        );
      }
      const { compareCommand } = await import("../commands/compare.ts");
      await compareCommand([first, ...others], options);
    });
}
