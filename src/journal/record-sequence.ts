import { showUntrusted } from "../files/show-untrusted.ts";
import type { Entry } from "./record-line.ts";
import type {
  JournalRecord,
  LossesRef,
  RecordedRung,
  RecordPayloads,
  RecordType,
  RowCounts,
  ScoredModel,
} from "./records.ts";

/** A record between steps, which may stand anywhere behind the start. */
type Note = "budget" | "moved";

/** What may stand right before each kind of record; its parts and notes may stand between. */
const predecessors: Readonly<Record<Exclude<RecordType, "part" | Note>, readonly (RecordType | "nothing")[]>> = {
  start: ["nothing"],
  parents: ["start"],
  forecast: ["parents"],
  // Not behind the forecast: what another budget has time for.
  rung: ["forecast", "rung", "plan", "ask", "result", "finalists", "verdict"],
  baselines: ["forecast", "rung"],
  // Not behind the baselines: the plan of another budget.
  plan: ["baselines", "plan", "ask", "result", "finalists", "verdict"],
  ask: ["plan", "result"],
  result: ["ask"],
  // An ask without a result: time ran out in its midst.
  finalists: ["plan", "ask", "result"],
  verdict: ["finalists"],
};

/** What of its plan a search keeps, whatever its budget. */
const KEPT = ["algorithm", "genes", "candidates", "start", "inject"] as const;

/** The records of a journal as they come, each held against those before it: what follows on what, and equal sizes. */
export class RecordSequence {
  #length = 0;
  #lossBytes = 0;
  /** Where the losses end that records have referred to; no two have the same. */
  #taken = 0;
  #last: RecordType | "nothing" = "nothing";
  #tasks: readonly string[] = [];
  /** The rows up to which each baseline has met rungs. */
  readonly #ends = new Map<string, RowCounts>();
  #plan: Pick<RecordPayloads["plan"], (typeof KEPT)[number]> | undefined;
  /** Whether a budget came that nothing has been planned, or finished, with. */
  #isRebudgeted = false;
  #generations = 0;

  /** Records that were added. */
  get length(): number {
    return this.#length;
  }

  /** Length of the side file when the last record was written. */
  get lossBytes(): number {
    return this.#lossBytes;
  }

  /** Adds the next record; says what is wrong with it, and leaves it out, when it does not follow on the others. */
  add(entry: Entry): string | undefined {
    const fault = this.#faultOf(entry);
    if (fault !== undefined) return fault;
    const { record, lossBytes } = entry;
    this.#length += 1;
    this.#lossBytes = lossBytes;
    for (const { end } of lossesOf(record)) this.#taken = end;
    if (record.type === "budget") this.#isRebudgeted = true;
    if (endsBudgets(record)) this.#isRebudgeted = false;
    if (record.type !== "part" && !isNote(record)) this.#last = record.type;
    if (record.type === "rung") for (const { name } of record.models) this.#ends.set(name, record.to);
    if (record.type === "baselines") this.#tasks = Object.keys(record.scales);
    if (record.type === "plan") this.#plan = record;
    if (record.type === "result") this.#generations += 1;
    return undefined;
  }

  #faultOf({ record, lossBytes }: Entry): string | undefined {
    const fault = this.#faultOfPlace(record);
    if (fault !== undefined) return fault;
    if (lossBytes < this.#lossBytes) return `lossBytes: expected at least ${this.#lossBytes}, found ${lossBytes}`;
    for (const { field, offset, end } of lossesOf(record)) {
      if (end > lossBytes) return `${field}: expected an end of at most ${lossBytes} bytes, found ${end}`;
      if (offset >= this.#taken) continue;
      return `${field}: expected a beginning behind the ${this.#taken} bytes of earlier records, found ${offset}`;
    }
    return this.#faultOfSizes(record);
  }

  #faultOfPlace(record: JournalRecord): string | undefined {
    if (isNote(record)) return this.#last === "nothing" ? "expected it after start" : undefined;
    const type = record.type === "part" ? record.of : record.type;
    const before = predecessors[type];
    if (!before.includes(this.#last)) return `expected it after ${before.join(" or ")}, found it after ${this.#last}`;
    const first = type === "plan" ? ["baselines"] : type === "rung" ? ["forecast", "rung"] : before;
    if (first.includes(this.#last) || this.#isRebudgeted) return undefined;
    return `expected it after ${first.join(" or ")} or another budget, found it after ${this.#last}`;
  }

  #faultOfSizes(record: JournalRecord): string | undefined {
    const { genes, candidates } = this.#plan ?? { genes: [], candidates: 0 };
    switch (record.type) {
      case "start":
      case "parents":
      case "budget":
      case "moved":
      case "part":
        return undefined;
      case "forecast":
        return faultOfRung(record, new Map());
      case "rung":
        return faultOfRung(record, this.#ends);
      case "baselines":
        return faultOfBaselines(record);
      case "plan":
        return (
          faultOfLengths("start and inject", [record.start, ...record.inject], record.genes.length) ??
          faultOfLengths("ranges", [record.ranges], record.genes.length) ??
          (this.#plan && faultOfReplanning(record, this.#plan))
        );
      case "ask":
        return (
          this.#faultOfGeneration(record.generation) ??
          faultOfLengths("points", [record.points], candidates) ??
          faultOfLengths("points", record.points, genes.length) ??
          faultOfNames("rows", Object.keys(record.rows), this.#tasks)
        );
      case "result":
        return (
          this.#faultOfGeneration(record.generation) ??
          faultOfLengths("losses", [record.losses], candidates) ??
          faultOfResult(record, candidates * genes.length)
        );
      case "finalists":
        // A winner that was not checked has no scores.
        return faultOfTasks([...record.models, ...withScores([record.winner])], this.#tasks);
      case "verdict":
        return faultOfTasks(record.models, this.#tasks) ?? faultOfVerdict(record, this.#tasks);
      default:
        return record satisfies never;
    }
  }

  #faultOfGeneration(generation: number): string | undefined {
    return generation === this.#generations
      ? undefined
      : `generation: expected ${this.#generations}, found ${generation}`;
  }
}

function isNote(record: JournalRecord): record is Extract<JournalRecord, { readonly type: Note }> {
  return record.type === "budget" || record.type === "moved";
}

/** Whether what was planned or finished here was with the budget of that moment. */
export function endsBudgets({ type }: JournalRecord): boolean {
  return type === "plan" || type === "finalists" || type === "verdict";
}

/** Where the losses lie in the side file that a record refers to, in bytes. */
function lossesOf(record: JournalRecord): { readonly field: string; readonly offset: number; readonly end: number }[] {
  return Object.entries(record).flatMap(([field, value]) => {
    if (field !== "rowLosses" && field !== "logLikelihoods" && field !== "gradients") return [];
    const { offset, count } = value as LossesRef;
    return [{ field, offset, end: offset + count * Float64Array.BYTES_PER_ELEMENT }];
  });
}

/** The search goes on with what it began with. */
function faultOfReplanning(
  found: RecordPayloads["plan"],
  expected: Pick<RecordPayloads["plan"], (typeof KEPT)[number]>,
): string | undefined {
  const field = KEPT.find((name) => JSON.stringify(found[name]) !== JSON.stringify(expected[name]));
  return field === undefined ? undefined : `${field}: expected that of the first plan, found another`;
}

/** A rung begins where the ones before ended for each of its models, and its losses are those of its models on its rows. */
function faultOfRung(
  { models, from, to, rowLosses }: RecordedRung,
  ends: ReadonlyMap<string, RowCounts>,
): string | undefined {
  const tasks = Object.keys(to);
  const rows = tasks.map((task) => (to[task] ?? 0) - (from[task] ?? 0));
  const begins = models.every(({ name }) => tasks.every((task) => (from[task] ?? 0) === (ends.get(name)?.[task] ?? 0)));
  if (!begins || rows.some((count) => count < 0))
    return "from and to: expected rows from the end of the rung before, found others";
  const expected = models.length * rows.reduce((sum, count) => sum + count, 0);
  if (rowLosses.count !== expected) return `rowLosses: expected ${expected}, found ${rowLosses.count}`;
  return faultOfTasks(
    models,
    tasks.filter((_, i) => (rows[i] ?? 0) > 0),
  );
}

function faultOfBaselines({ models, scales }: RecordPayloads["baselines"]): string | undefined {
  const tasks = Object.keys(scales);
  return tasks.length === 0 ? "scales: expected at least one task, found none" : faultOfTasks(models, tasks);
}

function faultOfResult(
  { losses, reference, gradients }: RecordPayloads["result"],
  derivatives: number,
): string | undefined {
  if (reference >= losses.length) return `reference: expected less than ${losses.length}, found ${reference}`;
  if (gradients === undefined || gradients.count === derivatives) return undefined;
  return `gradients: expected ${derivatives}, found ${gradients.count}`;
}

function withScores(models: readonly ScoredModel[]): readonly ScoredModel[] {
  return models.filter(({ scores }) => Object.keys(scores).length > 0);
}

function faultOfVerdict({ models, groups }: RecordPayloads["verdict"], tasks: readonly string[]): string | undefined {
  const winners = models.filter(({ kind }) => kind === "winner").length;
  if (winners !== 1) return `models: expected one winner, found ${winners}`;
  const fault = faultOfNames("groups", Object.keys(groups), tasks);
  if (fault !== undefined) return fault;
  return firstFault(models, ({ kind, intervals, gains }) => {
    if ((gains === undefined) !== (kind === "winner")) return "gains: expected them of every model but the winner";
    return (
      faultOfNames("intervals", Object.keys(intervals), tasks) ??
      (gains && faultOfNames("gains", Object.keys(gains.tasks), tasks))
    );
  });
}

function faultOfTasks(
  models: readonly Pick<ScoredModel, "name" | "scores">[],
  tasks: readonly string[],
): string | undefined {
  return firstFault(models, ({ scores }) => faultOfNames("scores", Object.keys(scores), tasks));
}

function faultOfNames(what: string, found: readonly string[], expected: readonly string[]): string | undefined {
  const isSame = found.length === expected.length && found.every((name) => expected.includes(name));
  return isSame ? undefined : `${what}: expected the tasks ${showUntrusted(expected)}, found ${showUntrusted(found)}`;
}

function faultOfLengths(
  what: string,
  lists: readonly { readonly length: number }[],
  expected: number,
): string | undefined {
  return firstFault(lists, ({ length }) =>
    length === expected ? undefined : `${what}: expected a list of ${expected}, found one of ${length}`,
  );
}

function firstFault<T>(items: readonly T[], faultOf: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const fault = faultOf(item);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
