import { z } from "zod";
import { strip } from "../files/white-space.ts";
import { passageOf } from "./passages.ts";
import { parsePythonList } from "./python-list.ts";
import type { RowScoring } from "./row-loss.ts";

/** How lm_eval would render MMLU rows: letters after listed options, or the options' own text. */
export const mmluFormats = ["mmlu", "mmlu_continuation"] as const;
export type MmluFormat = (typeof mmluFormats)[number];

export interface RowOptions {
  /** Rendering of MMLU rows; "mmlu" unless given. */
  readonly format?: MmluFormat;
  /** Whether MMLU rows that name a subject begin with lm_eval's description of it; true unless given. */
  readonly description?: boolean;
}

/** A row as its format reads it: a context and the answers that may follow it. */
export interface ParsedRow {
  readonly kind: "choice" | "text";
  readonly context: string;
  /** What the context begins with that is about the task and not the row: lm_eval's `description`. */
  readonly description?: string;
  readonly answers: readonly string[];
  readonly label: number;
  /** The text that rows about the same thing have in common. */
  readonly passage: string;
  /** In the place of the one that the row's file names. */
  readonly group?: string;
  /** What its loss depends on beside its texts, as JSON can hold it. */
  readonly data?: unknown;
  readonly scoring?: RowScoring;
}

export interface RowFormat {
  readonly name: string;
  /** The keys by which a row of this format is recognised. */
  readonly keys: readonly string[];
  /** The key among them that rows without labels lack. */
  readonly rightAnswer: string;
  /** That it reads; those of all known formats unless given. */
  readonly columns?: ReadonlySet<string>;
  readonly schema: z.ZodType<ParsedRow>;
}

/** The known formats, the most specific first. */
export function rowFormats(options: RowOptions): RowFormat[] {
  return [
    { name: "MMLU", keys: ["question", "choices", "answer"], rightAnswer: "answer", schema: mmluRow(options) },
    { name: "choice", keys: ["input", "target", "answer_choices"], rightAnswer: "target", schema: choiceRow },
    { name: "text", keys: ["input", "target"], rightAnswer: "target", schema: textRow },
  ];
}

/** All columns that any format reads. */
export const rowColumns: ReadonlySet<string> = new Set(
  "input target answer_choices label eval_type question subject choices answer group".split(" "),
);

const groupName = "expected the name or number of a group";

/** What rows of any format may say of the rows that they belong with. */
export const groupedRow = z.object({
  group: z.union([z.string(), wholeNumber(groupName)], groupName).nullish(),
});

const someText = z.string().refine((text) => /\P{White_Space}/u.test(text), "expected some text, found none");
const answerList = z.array(z.string().min(1, "expected some text, found none")).min(2, "expected at least two answers");
const answers = fromPythonList(answerList);

const rightAnswer = "expected the right answer or its number";
const answerNumber = "expected the number of an answer";

const choiceRow = z
  .object({
    input: someText,
    target: z.union([z.string().min(1), wholeNumber(rightAnswer)], rightAnswer),
    answer_choices: answers,
    label: wholeNumber(answerNumber).nullish(),
    eval_type: z.string().nullish(),
  })
  .transform(({ input, target, answer_choices, label: given, eval_type }, context): ParsedRow => {
    const named = labelNamed(target, answer_choices, eval_type === "multiple_choice");
    const label = given ?? named;
    checkLabel(label, answer_choices, typeof given === "number" ? "label" : "target", context);
    if (named !== label && target !== answer_choices[label]) {
      const expected = `expected ${quote(answer_choices[label])}, the answer of label ${label}`;
      context.addIssue({ code: "custom", path: ["target"], message: `${expected}, found ${quote(target)}` });
    }
    return {
      kind: "choice",
      context: input,
      answers: answer_choices,
      label,
      passage: passageOf({ kind: "choice", context: input }),
    };
  });

/** A value of a row as errors show it: its beginning, where it is long. */
function quote(value: string | number | undefined): string {
  const isLong = typeof value === "string" && value.length > 60;
  return isLong ? `${JSON.stringify(value.slice(0, 57))}...` : JSON.stringify(value);
}

/** A target is the right answer or its number; as text it is a number if the row says so or no answer reads like it. */
function labelNamed(target: string | number, answers: readonly string[], isNumber: boolean): number {
  if (typeof target === "number") return target;
  const label = answers.indexOf(target);
  return /^\d+$/.test(target) && (isNumber || label < 0) ? Number(target) : label;
}

const textRow = z.object({ input: someText, target: someText }).transform(({ input, target }): ParsedRow => ({
  kind: "text",
  context: input,
  answers: [target],
  label: 0,
  passage: passageOf({ kind: "text", context: input }),
}));

/** The templates of lm_eval's tasks `mmlu_*` and `mmlu_*_continuation`. */
const mmluTemplates = {
  mmlu: {
    questions: "multiple choice questions",
    choices: fromPythonList(answerList.length(4, "expected four choices; use the format mmlu_continuation for others")),
    prompt: (question: string, [a, b, c, d]: readonly string[]) =>
      `${question}\nA. ${a}\nB. ${b}\nC. ${c}\nD. ${d}\nAnswer:`,
    answers: () => ["A", "B", "C", "D"],
  },
  mmlu_continuation: {
    questions: "questions",
    choices: answers,
    prompt: (question: string) => `Question: ${question}\nAnswer:`,
    answers: (choices: readonly string[]) => choices,
  },
} as const;

function mmluRow({ format = "mmlu", description = true }: RowOptions): z.ZodType<ParsedRow> {
  const template = mmluTemplates[format];
  return z
    .object({
      question: someText,
      subject: z.string().nullish(),
      choices: template.choices,
      answer: wholeNumber(answerNumber),
    })
    .transform(({ question, subject, choices, answer }, context): ParsedRow => {
      checkLabel(answer, choices, "answer", context);
      const asked = strip(question);
      const isDescribed = description && typeof subject === "string";
      const about = `The following are ${template.questions} (with answers) about ${subject?.replaceAll("_", " ")}.\n\n`;
      return {
        kind: "choice",
        context: (isDescribed ? about : "") + template.prompt(asked, choices),
        ...(isDescribed && { description: about }),
        answers: template.answers(choices),
        label: answer,
        passage: asked,
      };
    });
}

/** A whole number that a float holds exactly; one message for whatever else is found. */
function wholeNumber(expected: string): z.ZodType<number> {
  return z.custom<number>(Number.isSafeInteger, expected);
}

/** Lists saved as text in a cell of a table. */
function fromPythonList<T extends z.ZodType>(list: T): z.ZodPreprocess<T> {
  return z.preprocess((value) => (typeof value === "string" ? (parsePythonList(value) ?? value) : value), list);
}

function checkLabel(label: number, choices: readonly string[], key: string, context: z.RefinementCtx): void {
  if (label >= 0 && label < choices.length) return;
  const message =
    key === "target"
      ? `expected one of the ${choices.length} answers`
      : `expected 0 to ${choices.length - 1}, found ${label}`;
  context.addIssue({ code: "custom", path: [key], message });
}
