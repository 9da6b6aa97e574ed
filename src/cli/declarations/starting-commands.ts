/** Commands for whoever begins; each is loaded when it is used. */
import { Argument, type Command } from "@commander-js/extra-typings";
import { parseNamedTexts } from "../options/moved-options.ts";
import { parseGivenExpert, parseTimeText } from "../options/parse-options.ts";

const completionShells = ["bash", "zsh", "fish"] as const;

export type CompletionShell = (typeof completionShells)[number];

export function declareInit(program: Command): void {
  program
    .command("init")
    .description("write an experiment from models and rows that are found in a folder, or given")
    .argument("[folder]", "of the experiment, which models and rows are looked for in", ".")
    .option("--base <model>", "folder or Hub name of the base")
    .option("--expert <[name=]model>", "of an expert or adapter; may be repeated, as the next two", parseGivenExpert)
    .option("--rows <task=rows>", "file of a task's rows, or org/name of a dataset on the Hub", parseNamedTexts)
    .option("--guard <task=rows>", "its rows for the verdict, which no search sees", parseNamedTexts)
    .option("--space <name>", "search space: one that ships, or a file")
    .option("--budget <time>", "wall-clock time of a run, such as 10m or 1h", parseTimeText)
    .option("--name <name>", "of the experiment and its file; else the folder's, and experiment.yaml")
    .option("-y, --yes", "ask nothing: take what is proposed")
    .action(async (folder, options) => {
      const { initCommand } = await import("../commands/init.ts");
      await initCommand(folder, options);
    });
}

export function declareCompletion(program: Command): void {
  program
    .command("completion")
    .description("print a script by which a shell completes commands, options and names")
    .addArgument(new Argument("<shell>", "which shell").choices(completionShells))
    .action(async (shell) => {
      const { completionCommand } = await import("../commands/completion.ts");
      completionCommand(shell, program);
    });
}
