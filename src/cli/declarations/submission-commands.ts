/** Commands about the competition's submission; each is loaded when it is used. */
import type { Command } from "@commander-js/extra-typings";
import {
  asJson,
  engineOption,
  modelArgument,
  newTokens,
  precisionOption,
  untilText,
} from "../options/shared-options.ts";

export function declareSubmission(program: Command): void {
  const submission = program.command("submission").description("the competition's submission.csv");
  submission
    .command("write")
    .description("answer the questions of a CSV file with a model")
    .argument(...modelArgument)
    .requiredOption("--rows <csv>", "questions: id, input, answer_choices, eval_type")
    .requiredOption("--to <csv>", "file to write: id, prediction, dummy_field")
    .option("--generated <csv>", "a submission that has texts; the model generates those that it lacks")
    .option(...newTokens)
    .option(...untilText)
    .addOption(engineOption())
    .addOption(precisionOption())
    .action(async (model, options) => {
      const { writeSubmissionCommand } = await import("../commands/submission.ts");
      await writeSubmissionCommand(model, options);
    });
  submission
    .command("check")
    .description("check a submission against its questions")
    .argument("<csv>", "submission")
    .requiredOption("--rows <csv>", "questions: id, input, answer_choices, eval_type")
    .option(...asJson)
    .action(async (file, options) => {
      const { checkSubmissionCommand } = await import("../commands/submission.ts");
      await checkSubmissionCommand(file, options);
    });
}
