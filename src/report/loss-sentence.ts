import { z } from "zod";
import type { JournalRecord, TaskScores } from "../journal/records.ts";
import { type ChoiceLossName, choiceLosses, choiceLossNames } from "../tasks/row-loss.ts";

/** A task, and the loss of its rows if they are choices and no plugin's format says another. */
interface Judged {
  readonly name: string;
  readonly loss: ChoiceLossName;
  readonly format?: string | undefined;
}

/** What the loss of each task is, in one sentence; scores of choices have an accuracy. What a plugin computes, its format's name stands for. */
export function lossSentence(tasks: readonly Judged[], scores: TaskScores): string {
  const formulas = new Map<string, string[]>();
  for (const [name, { accuracy }] of Object.entries(scores)) {
    const formula = lossFormula(
      tasks.find((task) => task.name === name),
      accuracy !== undefined,
    );
    formulas.set(formula, [...(formulas.get(formula) ?? []), name]);
  }
  return `Loss of ${Array.from(formulas, ([formula, names]) => `${names.join(", ")}: ${formula}`).join("; of ")}.`;
}

/** Journals of before there was a choice of losses do not say which. */
function lossFormula({ loss, format }: Partial<Judged> = {}, isChoice: boolean): string {
  if (format !== undefined) return `what the plugin's format ${format} makes of its rows`;
  if (!isChoice) return "nats per byte";
  return `${choiceLosses[loss ?? "softmax"].formula}, where p is the probability of the right answer among the answers`;
}

const experimentSchema = z.object({
  tasks: z.array(
    z.object({ name: z.string(), loss: z.enum(choiceLossNames).default("softmax"), format: z.string().optional() }),
  ),
});

/** The tasks of a recorded run; none where its journal has no experiment. */
export function judgedTasks([start]: readonly JournalRecord[]): readonly Judged[] {
  const parsed = experimentSchema.safeParse(start?.type === "start" ? start.experiment : undefined);
  return parsed.data?.tasks ?? [];
}
