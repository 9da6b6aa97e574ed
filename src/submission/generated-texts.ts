import { showUntrusted } from "../files/show-untrusted.ts";
import { UserError } from "../errors.ts";
import type { Question } from "./questions.ts";
import { readSubmission, type Predictions } from "./submission-file.ts";

/**
 * Answers questions without choices from another submission, such as the starter kit's output, or one that was interrupted. A
 * UserError where it has none of them.
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
  if (found.length > 0 || asked.length === 0) return new Map(found);
  throw new UserError(
    `${submission}: expected texts for the ${asked.length} questions of eval_type generation, found none of them, not even that of ${showUntrusted(asked[0]?.id)}`,
  );
}
