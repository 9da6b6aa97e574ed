import { z } from "zod";
import type { JournalRecord, TaskScores } from "../journal/records.ts";
import { type ChoiceLossName, choiceLosses, choiceLossNames } from "../tasks/row-loss.ts";

/** A task, and the loss of its rows if they are choices. */
interface Judged {
  readonly name: string;
  readonly loss: ChoiceLossName;
}

/** What the loss of each task is, in one sentence; scores of choices have an accuracy. */
export function lossSentence(tasks: readonly Judged[], scores: TaskScores): string {
  const formulas = new Map<string, string[]>();
  for (const [name, { accuracy }] of Object.entries(scores)) {
    // Journals of before there was a choice do not say.
    const loss = tasks.find((task) => task.name === name)?.loss ?? "softmax";
    const formula =
      accuracy === undefined
        ? "nats per byte"
        : `${choiceLosses[loss].formula}, where p is the probability of the right answer among the answers`;
    formulas.set(formula, [...(formulas.get(formula) ?? []), name]);
  }
  return `Loss of ${Array.from(formulas, ([formula, names]) => `${names.join(", ")}: ${formula}`).join("; of ")}.`;
}

const experimentSchema = z.object({
  tasks: z.array(z.object({ name: z.string(), loss: z.enum(choiceLossNames).default("softmax") })),
});

/** The tasks of a recorded run; none where its journal has no experiment. */
export function judgedTasks([start]: readonly JournalRecord[]): readonly Judged[] {
  const parsed = experimentSchema.safeParse(start?.type === "start" ? start.experiment : undefined);
  return parsed.data?.tasks ?? [];
}
