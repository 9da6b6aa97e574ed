import { showUntrusted } from "../files/show-untrusted.ts";
import { UserError } from "../errors.ts";
import type { Question } from "./questions.ts";
import { readSubmission, type Predictions } from "./submission-file.ts";

/**
 * Answers the questions without choices from another submission, such as the starter kit's output, since evomerge
 * generates no texts. A UserError says how many answers are missing.
 */
export async function generatedTexts(
  questions: readonly Question[],
  submission?: string,
  signal?: AbortSignal,
): Promise<Predictions> {
  const asked = questions.filter(({ choices }) => !choices);
  if (asked.length === 0) return new Map();
  const given = submission === undefined ? new Map<string, string>() : await readSubmission(submission, signal);
  const found = asked.flatMap(({ id }): [string, string][] => {
    const text = given.get(id);
    return text === undefined ? [] : [[id, text]];
  });
  if (found.length === asked.length) return new Map(found);
  if (submission === undefined) {
    throw new UserError(
      `${asked.length} of the ${questions.length} questions ask for a generated text, which evomerge does not write; give them with --generated <submission.csv>, such as the output of the competition's starter kit`,
    );
  }
  const absent = asked.find(({ id }) => !given.has(id));
  throw new UserError(
    `${submission}: expected a text for each of the ${asked.length} questions of eval_type generation, found ${found.length}; ${showUntrusted(absent?.id)} is missing`,
  );
}
