import { generate, type GenerateOptions } from "../experiment/generate.ts";
import { showUntrusted } from "../files/show-untrusted.ts";
import type { Question } from "./questions.ts";
import { faultOfPrediction, type Predictions } from "./submission-file.ts";

export interface AnswerOptions extends Omit<
  GenerateOptions,
  "model" | "prompts" | "names" | "hub" | "onFetching" | "onProgress" | "onText"
> {
  /** Told each answer when it is there, by the id of its question. */
  readonly onAnswer?: ((id: string, answer: string) => void) | undefined;
  /** Told the share that is done, and the number of texts. */
  readonly onProgress?: ((share: number, texts: number) => void) | undefined;
}

/** What is handed in where a model says nothing, or what Kaggle takes for nothing. */
const NOTHING = "unknown";

/**
 * Answers every question without choices with the text that a model folder adds to its input, greedily, as the competition's
 * starter kit does: 64 tokens at most unless told otherwise.
 */
export async function generateAnswers(
  folder: string,
  questions: readonly Question[],
  { onAnswer, onProgress, ...options }: AnswerOptions = {},
): Promise<Predictions> {
  const asked = questions.filter(({ choices }) => !choices);
  if (asked.length === 0) return new Map();
  const prompts = asked.map(({ input }) => input);
  const onShare = (share: number): void => onProgress?.(share, asked.length);
  const names = asked.map(({ id }) => `question ${showUntrusted(id)}`);
  const onText: GenerateOptions["onText"] = (i, { text }) => onAnswer?.(asked[i]?.id ?? "", answerOf(text));
  const texts = await generate({ model: folder, prompts, names, ...options, onText, onProgress: onShare });
  const answers = texts.map(({ text }) => answerOf(text));
  const replaced = answers.filter((answer, i) => answer !== texts[i]?.text).length;
  if (replaced > 0)
    options.onNotice?.(
      `${replaced} of ${asked.length} generated texts have nothing that Kaggle takes for text; "${NOTHING}" stands in their place`,
    );
  return new Map(asked.map(({ id }, i) => [id, answers[i] ?? NOTHING]));
}

function answerOf(text: string): string {
  return faultOfPrediction(text) === undefined ? text : NOTHING;
}
