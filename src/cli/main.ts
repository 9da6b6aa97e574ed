#!/usr/bin/env node
import { CommanderError } from "@commander-js/extra-typings";
import { UserError } from "../errors.ts";
import { exitCodes } from "./exit-codes.ts";
import { Interrupted } from "./interruption.ts";
import { buildProgram } from "./program.ts";

/** The only place that turns errors into words and exit codes. */
async function main(): Promise<number> {
  try {
    await buildProgram().parseAsync();
    return exitCodes.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUsage;
    if (error instanceof Interrupted) return exitCodes.interrupted;
    const text = error instanceof UserError ? error.message : error instanceof Error ? error.stack : String(error);
    process.stderr.write(`evomerge: ${text}\n`);
    return exitCodes.failed;
  }
}

process.exitCode = await main();
