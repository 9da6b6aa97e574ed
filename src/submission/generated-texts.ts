import { showUntrusted } from "../files/show-untrusted.ts";
import { UserError } from "../errors.ts";
import type { Question } from "./questions.ts";
import { readSubmission, type Predictions } from "./submission-file.ts";

/**
 * Answers the questions without choices from another submission, such as the starter kit's output. A UserError says how many
 * answers are missing.
 */
export async function generatedTexts(
  questions: readonly Question[],
  submission: string,
  signal?: AbortSignal,
): Promise<Predictions> {
  const asked = questions.filter(({ choices }) => !choices);
  const given = await readSubmission(submission, signal);
  const found = asked.flatMap(({ id }): [string, string][] => {
    const text = given.get(id);
    return text === undefined ? [] : [[id, text]];
  });
  if (found.length === asked.length) return new Map(found);
  const absent = asked.find(({ id }) => !given.has(id));
  throw new UserError(
    `${submission}: expected a text for each of the ${asked.length} questions of eval_type generation, found ${found.length}; ${showUntrusted(absent?.id)} is missing`,
  );
}
