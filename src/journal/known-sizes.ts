import type { JournalRecord, RecordPayloads, RowCounts } from "./records.ts";

/** What of its plan a search keeps, whatever its budget. */
export const KEPT_OF_PLAN = ["algorithm", "genes", "columns", "candidates", "start", "inject"] as const;

export type KeptPlan = Pick<RecordPayloads["plan"], (typeof KEPT_OF_PLAN)[number]>;

/** What the records so far say of the sizes of those to come. */
export interface KnownSizes {
  readonly tasks: readonly string[];
  /** The rows up to which each baseline has met rungs. */
  readonly ends: ReadonlyMap<string, RowCounts>;
  readonly plan: KeptPlan | undefined;
  /** Numbers of a point of the plan. */
  readonly dimension: number;
  /** That have a result. */
  readonly generations: number;
  /** Candidates of the last one that was asked: those of the plan, or more where the search has begun again. */
  readonly asked: number;
  /** Parts of the next one whose gradients may still be recorded before its result. */
  readonly partsLeft: number;
  /** Members of the last front. */
  readonly front: number;
}

export const NOTHING_KNOWN: KnownSizes = {
  tasks: [],
  ends: new Map(),
  plan: undefined,
  dimension: 0,
  generations: 0,
  asked: 0,
  partsLeft: 0,
  front: 0,
};

/** The same with another record. */
export function knownAfter(known: KnownSizes, record: JournalRecord): KnownSizes {
  switch (record.type) {
    case "rung":
      return {
        ...known,
        ends: new Map([...known.ends, ...record.models.map(({ name }) => [name, record.to] as const)]),
      };
    case "baselines":
      return { ...known, tasks: Object.keys(record.scales) };
    case "plan":
      return { ...known, plan: record, dimension: dimensionOf(record) };
    case "ask":
      return { ...known, asked: record.points.count / known.dimension, partsLeft: (record.parts ?? 1) - 1 };
    case "gradient":
      return { ...known, partsLeft: known.partsLeft - 1 };
    case "result":
      return { ...known, generations: known.generations + 1 };
    case "finalists":
      return { ...known, front: record.front?.length ?? known.front };
    default:
      return known;
  }
}

/** Numbers of a point: of the named genes, and of those of columns behind them. */
export function dimensionOf({ genes, columns = 0 }: Pick<KeptPlan, "genes" | "columns">): number {
  return genes.length + columns;
}
