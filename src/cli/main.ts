#!/usr/bin/env node
import { CommanderError } from "@commander-js/extra-typings";
import { MissingPlaces, UserError } from "../errors.ts";
import { exitCodes } from "./exit-codes.ts";
import { commandFor, enterCallersFolder } from "./invocation.ts";
import { Interrupted } from "./interruption.ts";
import { deliverResults, tellError } from "./output.ts";
import { buildProgram } from "./program.ts";

/** The only place that turns errors into words and exit codes. */
async function main(): Promise<number> {
  try {
    enterCallersFolder();
    await buildProgram().parseAsync().catch(helpIsNoError);
    return (await deliverResults()) ? exitCodes.done : exitCodes.failed;
  } catch (error) {
    if (error instanceof CommanderError) return exitCodes.wrongUsage;
    if (error instanceof Interrupted) return exitCodes.interrupted;
    const text = error instanceof UserError ? error.message : error instanceof Error ? error.stack : String(error);
    tellError(`evomerge: ${text}`);
    if (error instanceof MissingPlaces)
      tellError(`with the new places: ${commandFor("resume", error.folder)} ${error.options.join(" ")}`);
    return exitCodes.failed;
  }
}

function helpIsNoError(error: unknown): void {
  if (!(error instanceof CommanderError && error.exitCode === 0)) throw error;
}

/** Where Node has nothing left to wait for it would end without a word. */
function tellOfEndlessWait(): void {
  tellError("evomerge: what the command waits for never came; look for a plugin whose promise is never settled");
  process.exitCode = exitCodes.failed;
}

process.once("beforeExit", tellOfEndlessWait);
process.exitCode = await main();
process.off("beforeExit", tellOfEndlessWait);
