import { Command } from "@commander-js/extra-typings";
import { evomergeVersion } from "../files/own-package.ts";
import { declareCheck, declareFetch, declarePlan } from "./declarations/experiment-commands.ts";
import { declareResume, declareRun, declareWorker } from "./declarations/launching-commands.ts";
import { declareDoctor, declareTensorflow } from "./declarations/machine-commands.ts";
import { declareGenerate, declareLogprobs, declareMerge, declareScore } from "./declarations/model-commands.ts";
import { declareEvaluate, declareExport, declareReport } from "./declarations/result-commands.ts";
import {
  declareCompare,
  declareList,
  declareRerank,
  declareStatus,
  declareWatch,
} from "./declarations/run-commands.ts";
import { declareCompletion, declareInit } from "./declarations/starting-commands.ts";
import { declareSubmission } from "./declarations/submission-commands.ts";
import { refuseEmptyPaths } from "./options/empty-paths.ts";
import { usage } from "./output.ts";

/** Each command, in the order of the help. */
const declarations: readonly ((program: Command) => void)[] = [
  declareInit,
  declareRun,
  declareResume,
  declareWorker,
  declareExport,
  declareReport,
  declareList,
  declareStatus,
  declareRerank,
  declareWatch,
  declareCompare,
  declareMerge,
  declareFetch,
  declarePlan,
  declareCheck,
  declareEvaluate,
  declareScore,
  declareLogprobs,
  declareGenerate,
  declareSubmission,
  declareTensorflow,
  declareDoctor,
  declareCompletion,
];

/** The command line; what a command does is loaded when it is used. */
export function buildProgram(): Command {
  const program = new Command("evomerge")
    .description("Evolutionary search for the merge coefficients of language models")
    .version(evomergeVersion())
    .configureOutput(usage)
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .hook("preAction", (_, command) => refuseEmptyPaths(command))
    // Inherited by every command: errors are turned into exit codes in one place.
    .exitOverride();
  for (const declare of declarations) declare(program);
  return program;
}
