/** Commands that look at runs and change nothing; each is loaded when it is used. */
import type { Command } from "@commander-js/extra-typings";

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
}
