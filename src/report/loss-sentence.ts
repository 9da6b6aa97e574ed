import { z } from "zod";
import type { JournalRecord } from "../journal/records.ts";
import { type ChoiceLossName, choiceLosses, choiceLossNames } from "../tasks/row-loss.ts";

/** A task, and the loss of its rows if they are choices. */
interface Judged {
  readonly name: string;
  readonly loss: ChoiceLossName;
}

/** What a loss of these tasks is, in one sentence. */
export function lossSentence(tasks: readonly Judged[]): string {
  const losses = [...new Set(tasks.map(({ loss }) => loss))].map((loss) => {
    const own = tasks.filter((task) => task.loss === loss).map(({ name }) => name);
    return `${choiceLosses[loss].formula}${own.length < tasks.length ? ` (${own.join(", ")})` : ""}`;
  });
  const choices = losses.length === 0 ? "as the experiment says" : losses.join(" or ");
  return `Loss of choices: ${choices}, where p is the probability of the right answer among the answers; of texts: nats per byte.`;
}

const experimentSchema = z.object({
  tasks: z.array(z.object({ name: z.string(), loss: z.enum(choiceLossNames).default("softmax") })),
});

/** The tasks of a recorded run; none where its journal has no experiment. */
export function judgedTasks([start]: readonly JournalRecord[]): readonly Judged[] {
  const parsed = experimentSchema.safeParse(start?.type === "start" ? start.experiment : undefined);
  return parsed.data?.tasks ?? [];
}
