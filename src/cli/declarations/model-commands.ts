/** Commands about models, without a search; each is loaded when it is used. */
import { type Command, Option } from "@commander-js/extra-typings";
import { mmluFormats } from "../../tasks/row-formats.ts";
import { parseModel, parseNamedModel } from "../options/moved-options.ts";
import { parseBytes, parseEach, parseFormat, parsePositive, parseSeed } from "../options/parse-options.ts";
import {
  adapterBase,
  anyEngineOption,
  asJson,
  engineOption,
  modelArgument,
  newTokens,
  precisionOption,
  untilText,
} from "../options/shared-options.ts";

export function declareMerge(program: Command): void {
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
    .option(...asJson)
    .action(async (recipe, folder, options) => {
      const { mergeCommand } = await import("../commands/merge.ts");
      await mergeCommand(recipe, folder, options);
    });
}

export function declareScore(program: Command): void {
  program
    .command("score")
    .description("score one model on a file of rows")
    .argument(...modelArgument)
    .option(...adapterBase)
    .requiredOption("--task <rows>", "choice, text or MMLU rows: JSON lines, CSV or Parquet")
    .addOption(
      new Option("--format <name>", "how MMLU rows are rendered, or the plugin/name that reads other rows")
        .choices(mmluFormats)
        .argParser(parseFormat),
    )
    .option("--no-description", "leave out lm_eval's sentence about the subject of MMLU rows")
    .option("--apply-chat-template", "ask each row as a turn of a chat, as lm_eval's --apply_chat_template does")
    .option("--limit <rows>", "score the first rows only", parsePositive)
    .option("--samples <file>", "write each row's log-likelihoods there, as lm_eval's --log_samples does")
    .option("--plugin <file>", "whose formats and engines may be named; may be repeated", parseEach)
    .addOption(anyEngineOption())
    .addOption(precisionOption())
    .option(...asJson)
    .action(async (model, options) => {
      const { scoreCommand } = await import("../commands/score.ts");
      await scoreCommand(model, options);
    });
}

export function declareLogprobs(program: Command): void {
  program
    .command("logprobs")
    .description("print the log-probabilities of token ids, each given those before it")
    .argument("<model>", "Hugging Face folder, which needs no tokenizer, or org/name@revision of the Hub")
    .option(...adapterBase)
    .requiredOption(
      "--ids <json>",
      "token ids: a list such as '[1, 2, 3]', each but the first given those before it; for an encoder-decoder '{\"encoder\":[5,6,1],\"decoder\":[0,7,8]}', whose first decoder id is what the decoder begins with",
    )
    .addOption(engineOption())
    .addOption(precisionOption().default("f32" as const))
    .action(async (folder, options) => {
      const { logprobsCommand } = await import("../commands/logprobs.ts");
      await logprobsCommand(folder, options);
    });
}

export function declareGenerate(program: Command): void {
  program
    .command("generate")
    .description("print what a model adds to prompts, each token the most likely one, as JSON lines")
    .argument(...modelArgument)
    .option(...adapterBase)
    .option("--prompt <text...>", "prompts; special tokens are put in front as in lm_eval")
    .option("--file <rows>", "a file of rows whose input is a prompt: JSON lines, CSV or Parquet")
    .option("--apply-chat-template", "ask each prompt as a turn of a chat, by the template of the model's tokenizer")
    .option(...newTokens)
    .option(...untilText)
    .addOption(engineOption())
    .addOption(precisionOption())
    .action(async (model, options) => {
      const { generateCommand } = await import("../commands/generate.ts");
      await generateCommand(model, options);
    });
}
