import { z } from "zod";
import { parsePythonList } from "../tasks/python-list.ts";
import { readCsv } from "./read-csv.ts";

/** One row of the LLM Merging Competition's test file: to be answered by a choice, or else by a text. */
export interface Question {
  readonly id: string;
  readonly input: string;
  /** Left out where a text is to be generated. */
  readonly choices?: readonly string[];
  /** Index of the right choice, where the file tells. */
  readonly right?: number;
  /** The text that is wanted, where the file tells; never beside choices. */
  readonly wanted?: string;
}

/**
 * Reads the competition's CSV: `id`, `input`, `eval_type` (`multiple_choice` or `generation`), `answer_choices` (a list as
 * Python writes it, or None) and perhaps `target` (of a choice: its number from 0, or its text; else the text that is wanted). The first fault, such as
 * an id that occurs twice, is a UserError that names file and line.
 */
export async function readQuestions(path: string, signal?: AbortSignal): Promise<Question[]> {
  return readCsv(path, questionSchema, signal);
}

const choices = z
  .string("expected a list such as ['a', 'b']")
  .transform((text, context) => {
    const list = parsePythonList(text);
    if (list) return list;
    context.addIssue("expected a list such as ['a', 'b'], as Python writes it");
    return z.NEVER;
  })
  .pipe(z.array(z.string().min(1, "expected some text, found none")).min(2, "expected at least two choices"));

const common = {
  id: z.string("expected an id").min(1, "expected an id"),
  input: z.string("expected some text").min(1, "expected some text, found none"),
};

const choiceQuestion = z
  .object({
    ...common,
    eval_type: z.literal("multiple_choice"),
    answer_choices: choices,
    target: z.string().optional(),
  })
  .transform(({ id, input, answer_choices: choices, target = "" }, context): Question => {
    if (target === "") return { id, input, choices };
    const right = /^\d+$/.test(target) ? Number(target) : choices.indexOf(target);
    if (right >= 0 && right < choices.length) return { id, input, choices, right };
    context.addIssue({ code: "custom", path: ["target"], message: `expected one of the ${choices.length} choices` });
    return z.NEVER;
  });

const generationQuestion = z
  .object({ ...common, eval_type: z.literal("generation"), target: z.string().optional() })
  .transform(({ id, input, target = "" }): Question => ({ id, input, ...(target !== "" && { wanted: target }) }));

const questionSchema = z.discriminatedUnion("eval_type", [choiceQuestion, generationQuestion], {
  error: "expected multiple_choice or generation",
});
