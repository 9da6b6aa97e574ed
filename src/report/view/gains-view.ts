import type { GuardedModel, RecordPayloads } from "../../journal/records.ts";
import { type JudgedGain, type Judgement, judgeModels } from "../judgement.ts";
import type { ShortNames } from "./short-text.ts";

/** The winner's gain over a model, on the tasks combined or on one of them; positive where the winner is better. */
export interface GainView {
  readonly model: string;
  readonly kind: GuardedModel["kind"];
  /** Null for the tasks combined. */
  readonly task: string | null;
  readonly gain: number;
  /** Of the 95 % interval; null where it is open. */
  readonly lower: number | null;
  readonly upper: number | null;
  readonly judgement: Judgement;
  /** As in "by 12.3 %"; empty where it is neither better nor worse. */
  readonly amount: string;
}

/** Gains over every model that the winner was compared with, the tasks combined first. */
export function gainsOf(
  { models }: Pick<RecordPayloads["verdict"], "models">,
  looks: number,
  names: ShortNames,
): readonly GainView[] {
  const judged = judgeModels(models, looks);
  const gainsOn = (task: string | null): GainView[] =>
    models.flatMap(({ name, kind }) => {
      const own = judged.get(name);
      const gain = task === null ? own?.combined : own?.tasks[task];
      if (!gain) return [];
      return [{ model: names.of(name), kind, task: task === null ? null : names.of(task), ...shown(gain) }];
    });
  const tasks = Object.keys(models[0]?.scores ?? {});
  // On a single task the combined gain says it all.
  return [...gainsOn(null), ...(tasks.length > 1 ? tasks.flatMap(gainsOn) : [])];
}

function shown({
  gain,
  interval: [lower, upper],
  judgement,
  amount,
}: JudgedGain): Omit<GainView, "model" | "kind" | "task"> {
  return { gain, lower: finiteOrNull(lower), upper: finiteOrNull(upper), judgement, amount };
}

/** JSON has no infinities. */
function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
