import { Command, Option } from "@commander-js/extra-typings";
import { engineNames, type EngineName } from "../device/engine-names.ts";
import { precisions, startingKinds, type Precision, type StartingKind } from "../experiment/experiment.ts";
import { evomergeVersion } from "../files/own-package.ts";
import { refuseEmptyPaths } from "./empty-paths.ts";
import { addMachineCommands } from "./machine-commands.ts";
import { movedBase, movedExpert, movedGuard, movedRows, parseModel, parseNamedModel } from "./moved-options.ts";
import { usage } from "./output.ts";
import { parseBytes, parseCount, parseEventsFile, parsePositive, parseSeed, parseTime } from "./parse-options.ts";
import { addRunCommands } from "./run-commands.ts";
import { addCompletionCommand, addInitCommand } from "./starting-commands.ts";
import type { MmluFormat } from "../tasks/row-formats.ts";

const formats = ["mmlu", "mmlu_continuation"] as const satisfies readonly MmluFormat[];

const engine = (): Option<"--engine <name>", undefined, undefined, EngineName> =>
  new Option("--engine <name>", "where to compute").choices(engineNames);
/** Of a model that is only scored: nothing is searched that `mixed` could be another precision for. */
const precision = (): Option<"--precision <name>", undefined, undefined, Exclude<Precision, "mixed">> =>
  new Option("--precision <name>", "of matrix products").choices(precisions.filter((name) => name !== "mixed"));
const experiment = ["<experiment>", "YAML file, or the name of one that ships, such as demo"] as const;
const budgetTime = new Option("--budget <time>", "wall-clock time for everything, such as 90s, 10m, 1h").argParser(
  parseTime,
);
const budgetEvaluations = new Option("--evaluations <count>", "candidates to score, in place of a time")
  .argParser(parseCount)
  .conflicts("budget");
const from = ["--from <run>", "folder of an earlier run to begin from, in place of the experiment's start"] as const;
const take = (): Option<"--take <what>", undefined, undefined, StartingKind> =>
  new Option("--take <what>", "what of it the search begins with (default: winner)").choices(startingKinds);
const newTokens = ["--max-new-tokens <count>", "the most tokens of a text (default: 64)", parsePositive] as const;
const until = ["--until <text...>", "a text ends before the first of these, such as $'\\n'"] as const;
const adapterBase = ["--base <model>", "of an adapter: its base, if it is not where adapter_config.json says"] as const;
const redis = [
  "--redis <url>",
  "score by workers that were told of the same Redis: redis://host or rediss://host",
] as const;
const mixedEngines = ["--mixed-engines", "workers may compute with other engines than the first one"] as const;
const parts = [
  "--parts <count>",
  "deal the rows of each gradient into so many parts at least, which workers share",
  parsePositive,
] as const;
const events = ["--events <file>", "append what happens there, as JSON lines", parseEventsFile] as const;
const tensorboard = ["--tensorboard <folder>", "write losses there as they come, as TensorBoard reads them"] as const;
const watch = ["--watch", "show the run in the browser while it goes on, at an address that is told"] as const;
const json = ["--json", "print the result as JSON"] as const;

/** The command line; each command is loaded when it is used. */
export function buildProgram(): Command {
  const program = new Command("evomerge")
    .description("Evolutionary search for the merge coefficients of language models")
    .version(evomergeVersion())
    .configureOutput(usage)
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .hook("preAction", (_, command) => refuseEmptyPaths(command))
    // Inherited by every command: errors are turned into exit codes in one place.
    .exitOverride();

  addInitCommand(program);

  program
    .command("run")
    .description("launch an experiment")
    .argument(...experiment)
    .option("--out <folder>", "folder of the run (default: results/<name>)")
    .addOption(budgetTime)
    .addOption(budgetEvaluations)
    .option("--seed <number>", "seed of the search", parseSeed)
    .option(...from)
    .addOption(take())
    .addOption(engine())
    .option(...redis)
    .option(...mixedEngines)
    .option(...parts)
    .option("--export", "export the winner at the end")
    .option(...events)
    .option(...tensorboard)
    .option(...watch)
    .option(...json)
    .action(async (file, { budget, evaluations, ...options }) => {
      const { runCommand } = await import("./commands/run.ts");
      await runCommand(file, { ...options, budget: budget ?? evaluations });
    });

  program
    .command("resume")
    .description("go on with an interrupted run, or with a finished one that is given more budget")
    .argument("<run>", "folder of the run")
    .addOption(budgetTime)
    .addOption(budgetEvaluations)
    .option(...redis)
    .option(...mixedEngines)
    .option(...parts)
    .option("--export", "export the winner at the end")
    .option(...events)
    .option(...tensorboard)
    .option(...watch)
    .option(...movedBase)
    .option(...movedExpert)
    .option(...movedRows)
    .option(...movedGuard)
    .option(...json)
    .action(async (folder, { budget, evaluations, ...options }) => {
      const { resumeCommand } = await import("./commands/run.ts");
      await resumeCommand(folder, { ...options, budget: budget ?? evaluations });
    });

  program
    .command("worker")
    .description("score for runs of an experiment, on this machine or others")
    .argument(...experiment)
    .requiredOption("--redis <url>", "where it meets runs: redis://host, or rediss://host for TLS")
    .option("--name <name>", "by which runs speak of it")
    .addOption(engine())
    .action(async (file, options) => {
      const { workerCommand } = await import("./commands/worker.ts");
      await workerCommand(file, options);
    });

  program
    .command("export")
    .description("write the winner of a run, or its best so far, as a Hugging Face folder")
    .argument("<run>", "folder of the run")
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
    .option(...json)
    .action(async (run, options) => {
      const { exportCommand } = await import("./commands/export.ts");
      await exportCommand(run, options);
    });

  program
    .command("report")
    .description("make a run's page and tables anew, from its journal as it is now")
    .argument("<run>", "folder of the run")
    .option(...movedRows)
    .option(...movedGuard)
    .option(...json)
    .action(async (folder, options) => {
      const { reportCommand } = await import("./commands/report.ts");
      await reportCommand(folder, options);
    });

  addRunCommands(program);

  program
    .command("merge")
    .description("merge models by a recipe into a Hugging Face folder")
    .argument("<recipe>", "YAML of mergekit, or the recipe.json of an export")
    .argument("<folder>", "folder of the merged model")
    .option("--base <model>", "folder or Hub name of the base of a recipe.json, if its run is not there", parseModel)
    .option("--expert <name=model>", "likewise of an expert; may be repeated", parseNamedModel)
    .option("--mergekit-compat", "merge as mergekit does where it has a known fault")
    .option("--seed <number>", "of methods that draw at random (default: 0)", parseSeed)
    .option("--max-shard-size <size>", "weights of more bytes are divided into files (default: 5GB)", parseBytes)
    .option(...json)
    .action(async (recipe, folder, options) => {
      const { mergeCommand } = await import("./commands/merge.ts");
      await mergeCommand(recipe, folder, options);
    });

  program
    .command("fetch")
    .description("bring an experiment's models and rows from the Hub")
    .argument(...experiment)
    .option("--dry-run", "say what would be fetched and what the disk has left; fetch no weights")
    .option(...json)
    .action(async (file, options) => {
      const { fetchCommand } = await import("./commands/fetch.ts");
      await fetchCommand(file, options);
    });

  program
    .command("plan")
    .description("say what a run will take, without reading a weight: time, memory, disk, and what binds")
    .argument(...experiment)
    .option("--out <folder>", "folder of the run (default: in results)")
    .addOption(budgetTime)
    .addOption(budgetEvaluations)
    .option(...from)
    .addOption(take())
    .addOption(engine())
    .option("--export", "with the export of the winner at the end")
    .option(...json)
    .action(async (file, { budget, evaluations, ...options }) => {
      const { planCommand } = await import("./commands/plan.ts");
      await planCommand(file, { ...options, budget: budget ?? evaluations });
    });

  program
    .command("check")
    .description("check an experiment against the rules of the LLM-Merging competition")
    .argument(...experiment)
    .option(...json)
    .action(async (file, options) => {
      const { checkCommand } = await import("./commands/check.ts");
      await checkCommand(file, options);
    });

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
    .option(...json)
    .action(async (target, args, options) => {
      const { evaluateCommand } = await import("./commands/evaluate.ts");
      await evaluateCommand(target, { ...options, args });
    });

  program
    .command("score")
    .description("score one model on a file of rows")
    .argument("<model>", "Hugging Face folder, or org/name@revision of the Hub")
    .option(...adapterBase)
    .requiredOption("--task <rows>", "choice, text or MMLU rows: JSON lines, CSV or Parquet")
    .addOption(new Option("--format <name>", "how MMLU rows are rendered").choices(formats))
    .option("--no-description", "leave out lm_eval's sentence about the subject of MMLU rows")
    .option("--apply-chat-template", "ask each row as a turn of a chat, as lm_eval's --apply_chat_template does")
    .option("--limit <rows>", "score the first rows only", parsePositive)
    .option("--samples <file>", "write each row's log-likelihoods there, as lm_eval's --log_samples does")
    .addOption(engine())
    .addOption(precision())
    .option(...json)
    .action(async (model, options) => {
      const { scoreCommand } = await import("./commands/score.ts");
      await scoreCommand(model, options);
    });

  program
    .command("logprobs")
    .description("print the log-probabilities of token ids, each given those before it")
    .argument("<model>", "Hugging Face folder, which needs no tokenizer, or org/name@revision of the Hub")
    .option(...adapterBase)
    .requiredOption(
      "--ids <json>",
      "token ids: a list such as '[1, 2, 3]', each but the first given those before it; for an encoder-decoder '{\"encoder\":[5,6,1],\"decoder\":[0,7,8]}', whose first decoder id is what the decoder begins with",
    )
    .addOption(engine())
    .addOption(precision().default("f32" as const))
    .action(async (folder, options) => {
      const { logprobsCommand } = await import("./commands/logprobs.ts");
      await logprobsCommand(folder, options);
    });

  program
    .command("generate")
    .description("print what a model adds to prompts, each token the most likely one, as JSON lines")
    .argument("<model>", "Hugging Face folder, or org/name@revision of the Hub")
    .option(...adapterBase)
    .option("--prompt <text...>", "prompts; special tokens are put in front as in lm_eval")
    .option("--file <rows>", "a file of rows whose input is a prompt: JSON lines, CSV or Parquet")
    .option("--apply-chat-template", "ask each prompt as a turn of a chat, by the template of the model's tokenizer")
    .option(...newTokens)
    .option(...until)
    .addOption(engine())
    .addOption(precision())
    .action(async (model, options) => {
      const { generateCommand } = await import("./commands/generate.ts");
      await generateCommand(model, options);
    });

  const submission = program.command("submission").description("the competition's submission.csv");
  submission
    .command("write")
    .description("answer the questions of a CSV file with a model")
    .argument("<model>", "Hugging Face folder, or org/name@revision of the Hub")
    .requiredOption("--rows <csv>", "questions: id, input, answer_choices, eval_type")
    .requiredOption("--to <csv>", "file to write: id, prediction, dummy_field")
    .option("--generated <csv>", "a submission that has texts; the model generates those that it lacks")
    .option(...newTokens)
    .option(...until)
    .addOption(engine())
    .addOption(precision())
    .action(async (model, options) => {
      const { writeSubmissionCommand } = await import("./commands/submission.ts");
      await writeSubmissionCommand(model, options);
    });
  submission
    .command("check")
    .description("check a submission against its questions")
    .argument("<csv>", "submission")
    .requiredOption("--rows <csv>", "questions: id, input, answer_choices, eval_type")
    .option(...json)
    .action(async (file, options) => {
      const { checkSubmissionCommand } = await import("./commands/submission.ts");
      await checkSubmissionCommand(file, options);
    });

  addMachineCommands(program);
  addCompletionCommand(program);

  return program;
}
