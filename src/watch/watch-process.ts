/** Shows a run in a process of its own, beside the one that carries it out, and ends with that. */
import { setPriority } from "node:os";
import { UserError } from "../errors.ts";
import { endWithParent } from "../files/end-with-parent.ts";
import { type CommandFor, installedCommand } from "../report/next-steps.ts";
import { watchRun } from "./watch-run.ts";
import type { WatchAnswer, WatchRequest } from "./watch-beside.ts";

/** Behind the run, which has the processors first. */
const NICENESS = 10;

const tell = (answer: WatchAnswer): void => void process.send?.(answer);

await endWithParent();
try {
  setPriority(NICENESS);
} catch {
  // A system that does not allow it shows the run all the same.
}
process.once("message", (request: WatchRequest) => void show(request));
tell("ready");

async function show({ folder, commands }: WatchRequest): Promise<void> {
  try {
    const commandFor: CommandFor = (command) => commands[command] ?? installedCommand(command, folder);
    const watched = await watchRun(folder, { commandFor });
    process.once("message", () => void watched[Symbol.asyncDispose]().then(() => process.exit()));
    tell({ address: watched.address });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    tell({ refusal: error.message });
  }
}
