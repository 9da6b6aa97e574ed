import type { Gain, GuardedModel } from "../journal/records.ts";
import { holmAdjusted } from "../statistics/holm.ts";

/** How the winner compares with another model. */
export type Judgement = "better" | "worse" | "neither";

/** A gain of the winner and what may be said of it beside all others of the same verdict. */
export interface JudgedGain extends Gain {
  /** Corrected for all comparisons that were made. */
  readonly corrected: number;
  readonly judgement: Judgement;
  /** How much better or worse, as in "by 12.3 %"; empty where it is neither. */
  readonly amount: string;
}

/** The winner's gains over one model. */
export interface JudgedModel {
  readonly combined: JudgedGain;
  readonly tasks: Readonly<Record<string, JudgedGain>>;
}

/** Two-sided corrected p-value below which a difference is called significant. */
const SIGNIFICANT = 0.05;

/** The other model's loss so often is told in times, not in percent. */
const MANY = 10;

/** Judges gains of one family of tests: Holm's correction over all of them, then the words. */
export function judgeGains(
  gains: readonly Gain[],
  amountOf: (gain: Gain, i: number) => string,
  looks = 1,
): JudgedGain[] {
  const corrected = holmAdjusted(gains.map(({ pValue }) => Math.min(1, looks * pValue)));
  return gains.map((gain, i) => judged(gain, corrected[i] ?? 1, amountOf(gain, i)));
}

function judged(gain: Gain, corrected: number, amount: string): JudgedGain {
  const judgement = !(corrected < SIGNIFICANT) ? "neither" : gain.gain > 0 ? "better" : "worse";
  return { ...gain, corrected, judgement, amount: judgement === "neither" ? "" : amount };
}

/**
 * Judges the models that the winner was compared with, by their names. Of several models one is easily different by
 * chance, so the combined tests are corrected for their number. A word on a single task needs a combined test that stands,
 * and is corrected for all tests of single tasks. Rows that have judged earlier winners as well have had more chances:
 * p-values are multiplied by these looks (Bonferroni).
 */
export function judgeModels(models: readonly GuardedModel[], looks: number): ReadonlyMap<string, JudgedModel> {
  const compared = models.flatMap(({ gains, ...model }) => (gains ? [{ ...model, gains }] : []));
  const combined = judgeGains(
    compared.map(({ gains }) => gains.combined),
    ({ gain }, i) => percentOf(gain, compared[i]?.loss),
    looks,
  );
  const single = compared.flatMap(({ name, scores, gains }) =>
    Object.entries(gains.tasks).map(([task, gain]) => ({ name, task, gain, loss: scores[task]?.loss })),
  );
  const onTasks = judgeGains(
    single.map(({ gain }) => gain),
    ({ gain }, i) => percentOf(gain, single[i]?.loss),
    looks,
  ).map((gain, i) => ({ ...single[i], gain }));
  return new Map(
    compared.flatMap(({ name }, i) => {
      const whole = combined[i];
      if (!whole) return [];
      const tasks = onTasks
        .filter((one) => one.name === name)
        .map(({ task, gain }) => [task, under(whole, gain)] as const);
      return [[name, { combined: whole, tasks: Object.fromEntries(tasks) as JudgedModel["tasks"] }] as const];
    }),
  );
}

function under({ judgement }: JudgedGain, gain: JudgedGain): JudgedGain {
  return judgement === "neither" ? { ...gain, judgement, amount: "" } : gain;
}

/** A gain as a part of what there was to gain: the other model's loss. */
export function percentOf(gain: number, loss = Number.NaN): string {
  const share = Math.abs(gain / loss);
  return share >= MANY && share < Infinity ? `by ${share.toFixed(0)} times` : amountText(100 * share, "%");
}

/** Below one of the unit a difference may be certain and yet worthless. */
export function amountText(amount: number, unit: string): string {
  if (!Number.isFinite(amount)) return "";
  if (amount < 1) return `by less than 1 ${unit.replace(/s$/, "")}`;
  return `by ${amount.toFixed(amount < 100 ? 1 : 0)} ${unit}`;
}
