import { showUntrusted } from "../files/show-untrusted.ts";
import { UserError } from "../errors.ts";
import type { Experiment, Precision } from "../experiment/experiment.ts";
import { cutRows } from "../experiment/cut-rows.ts";
import { BASE } from "../experiment/the-base.ts";
import { openWorkspace } from "../experiment/workspace.ts";
import type { TaskRow } from "../tasks/rows.ts";
import type { Question } from "./questions.ts";
import type { Predictions } from "./submission-file.ts";

export interface PredictOptions {
  readonly engine?: Experiment["engine"] | undefined;
  readonly precision?: Precision | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told what a person should know, such as a better engine that does not work here. */
  readonly onNotice?: ((text: string) => void) | undefined;
  /** Told the share of the scoring that is done, and the number of rows. */
  readonly onProgress?: ((share: number, rows: number) => void) | undefined;
}

/**
 * Answers every question that has choices with the number of the choice that a model folder finds most likely: the
 * log-likelihoods of its tokens behind the input are summed, as for lm_eval's `acc`.
 */
export async function predictChoices(
  folder: string,
  questions: readonly Question[],
  { engine = "auto", precision = "auto", signal, onNotice, onProgress }: PredictOptions = {},
): Promise<Predictions> {
  const rows = questions.flatMap(taskRow);
  if (rows.length === 0) return new Map();
  await using workspace = await openWorkspace({ base: folder, experts: [], engine, precision }, { signal, onNotice });
  await workspace.evaluator.prepare(rows, signal);
  const cut = cutRows("questions with choices", rows, workspace.evaluator);
  if (cut !== undefined) onNotice?.(cut);
  const recipe = { method: "passthrough", model: BASE } as const;
  const onShare = (share: number): void => onProgress?.(share, rows.length);
  const [evaluation] = await workspace.evaluator.evaluate([recipe], { rows }, { signal, onProgress: onShare });
  return new Map(
    rows.map(({ id }, i) => {
      const answer = evaluation?.scores["rows"]?.[i]?.answer;
      if (answer !== undefined) return [id, String(answer)];
      throw new UserError(
        `${folder}: cannot answer question ${showUntrusted(id)}: the likelihood of a choice is not finite; check the weights`,
      );
    }),
  );
}

/** A question as the evaluator scores it, which needs a right answer: any will do. */
function taskRow({ id, input, choices }: Question): TaskRow[] {
  if (!choices) return [];
  const continuations = choices.map((choice) => ` ${choice}`);
  return [{ id, kind: "choice", context: input, continuations, label: 0, passage: id, group: id }];
}
