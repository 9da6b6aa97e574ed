import type { TaskRow } from "./rows.ts";

/** How lm_eval introduces the questions of a subject; other tools have copied it. */
const header = /The following are (?:multiple choice )?questions \(with answers\) about/i;

/** How a question ends in lm_eval's layout of MMLU. */
const layout = /\nA\. .*\nB\. .*\nC\. .*\nD\. .*\nAnswer:$/;

/** MMLU under its names and its derivatives' (tinyMMLU, MMLU-Pro); CMMLU and KMMLU ask questions of their own. */
const name = /(?<!(?:^|[^a-z])[ck])mmlu|hendrycks[\s_-]*tests?(?![a-z])/i;

/**
 * The first row that is MMLU's: by lm_eval's introduction of a subject, or by its layout of a question with four lettered
 * answers, in which other questions are taken for MMLU's too. Questions of MMLU in another layout are not recognised; that
 * would take the questions, or hashes of them, and they are no part of this program.
 */
export function findMmlu(rows: readonly TaskRow[]): TaskRow | undefined {
  return rows.find(({ context, continuations }) => {
    if (header.test(context)) return true;
    return continuations.join() === " A, B, C, D" && layout.test(context);
  });
}

/** Whether the name of a task, a dataset or a file says that it is MMLU or made of it. */
export function isMmluName(text: string): boolean {
  return name.test(text);
}
