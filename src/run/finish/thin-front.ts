import type { RowLosses, Selection } from "../../evaluate/evaluator.ts";
import type { FrontMember } from "../../journal/records.ts";
import { strataOf } from "../../statistics/clusters.ts";
import { observed } from "../../statistics/resampling.ts";
import type { RungLosses } from "../baselines/scored-rungs.ts";

/** 95 % of what a normal estimate may be lie within so many of its standard errors. */
const STANDARD_ERRORS = 1.96;

/** The rows that a front was compared on, and what is known of its models there. */
export interface ComparedRows {
  readonly rows: Selection;
  /** By model. */
  readonly evaluated: ReadonlyMap<string, RowLosses>;
  /** Of every other model; empty where it met no rows. */
  readonly baseline: (name: string) => RungLosses;
}

interface Representative {
  readonly member: FrontMember;
  readonly alike: string[];
  /** By task: half of the 95 % interval of its mean loss; NaN where its losses are not known. */
  readonly reach: ReadonlyMap<string, number>;
}

/**
 * A front without the members that another stands for: on every task their loss lies within the 95 % interval of its mean loss, by
 * groups of rows. The least combined loss and the best on each task stay in any case; then less combined loss goes first. Paired
 * on the rows nearly all would be told apart, since points of one walk differ by little, but on most rows alike.
 */
export function thinned(front: readonly FrontMember[], compared: ComparedRows): readonly FrontMember[] {
  const tasks = Object.keys(compared.rows);
  const named = new Set([
    leastOf(front, ({ loss }) => loss),
    ...tasks.map((task) => leastOf(front, (member) => lossOn(member, task))),
  ]);
  const byLoss = front.toSorted((a, b) => a.loss - b.loss);
  const kept = byLoss.filter((one) => named.has(one)).map((member) => representative(member, compared));
  for (const member of byLoss.filter((one) => !named.has(one))) {
    const other = kept.find((one) => tasks.every((task) => isWithin(one, member, task)));
    if (other) other.alike.push(member.of);
    else kept.push(representative(member, compared));
  }
  return front.flatMap((own) => {
    const { alike } = kept.find(({ member }) => member === own) ?? {};
    return alike ? [alike.length === 0 ? own : { ...own, alike }] : [];
  });
}

function lossOn({ scores }: FrontMember, task: string): number {
  return scores[task]?.loss ?? Number.NaN;
}

function leastOf(front: readonly FrontMember[], lossOf: (member: FrontMember) => number): FrontMember | undefined {
  return front.toSorted((a, b) => lossOf(a) - lossOf(b))[0];
}

function isWithin({ member, reach }: Representative, other: FrontMember, task: string): boolean {
  return Math.abs(lossOn(other, task) - lossOn(member, task)) <= (reach.get(task) ?? Number.NaN);
}

function representative(member: FrontMember, { rows, evaluated, baseline }: ComparedRows): Representative {
  const own = evaluated.get(member.of)?.scores;
  const known = own ? undefined : baseline(member.of);
  const reach = Object.entries(rows).map(([task, met]) => {
    const values = own
      ? (own[task] ?? []).map(({ loss }) => loss)
      : met.map(({ id }) => known?.get(task)?.get(id) ?? Number.NaN);
    const groups = met.map(({ group }) => group);
    const { variance } = observed(strataOf([{ weight: 1, values, groups }]));
    return [task, STANDARD_ERRORS * Math.sqrt(variance)] as const;
  });
  return { member, alike: [], reach: new Map(reach) };
}
