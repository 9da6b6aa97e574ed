import { showUntrusted } from "../files/show-untrusted.ts";
import type { Entry } from "./record-line.ts";
import type { JournalRecord, LossesRef, RecordPayloads, RecordType, ScoredModel } from "./records.ts";

/** What may stand right before each kind of record; its parts may stand between. */
const predecessors: Readonly<Record<Exclude<RecordType, "part">, readonly (RecordType | "nothing")[]>> = {
  start: ["nothing"],
  parents: ["start"],
  baselines: ["parents"],
  plan: ["baselines"],
  ask: ["plan", "result"],
  result: ["ask"],
  // An ask without a result: time ran out in its midst.
  finalists: ["plan", "ask", "result"],
  verdict: ["finalists"],
};

/** The records of a journal as they come, each held against those before it: what follows on what, and equal sizes. */
export class RecordSequence {
  #length = 0;
  #lossBytes = 0;
  /** Where the losses end that records have referred to; no two have the same. */
  #taken = 0;
  #last: RecordType | "nothing" = "nothing";
  #tasks: readonly string[] = [];
  #plan: Pick<RecordPayloads["plan"], "genes" | "population"> = { genes: [], population: 0 };
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
    if (record.type !== "part") this.#last = record.type;
    if (record.type === "baselines") this.#tasks = Object.keys(record.scales);
    if (record.type === "plan") this.#plan = record;
    if (record.type === "result") this.#generations += 1;
    return undefined;
  }

  #faultOf({ record, lossBytes }: Entry): string | undefined {
    const before = predecessors[record.type === "part" ? record.of : record.type];
    if (!before.includes(this.#last)) return `expected it after ${before.join(" or ")}, found it after ${this.#last}`;
    if (lossBytes < this.#lossBytes) return `lossBytes: expected at least ${this.#lossBytes}, found ${lossBytes}`;
    for (const { field, offset, end } of lossesOf(record)) {
      if (end > lossBytes) return `${field}: expected an end of at most ${lossBytes} bytes, found ${end}`;
      if (offset >= this.#taken) continue;
      return `${field}: expected a beginning behind the ${this.#taken} bytes of earlier records, found ${offset}`;
    }
    return this.#faultOfSizes(record);
  }

  #faultOfSizes(record: JournalRecord): string | undefined {
    const { genes, population } = this.#plan;
    switch (record.type) {
      case "start":
      case "parents":
      case "part":
        return undefined;
      case "baselines":
        return faultOfBaselines(record);
      case "plan":
        return faultOfLengths("start and inject", [record.start, ...record.inject], record.genes.length);
      case "ask":
        return (
          this.#faultOfGeneration(record.generation) ??
          faultOfLengths("points", [record.points], population) ??
          faultOfLengths("points", record.points, genes.length) ??
          faultOfNames("rows", Object.keys(record.rows), this.#tasks)
        );
      case "result":
        return this.#faultOfGeneration(record.generation) ?? faultOfLengths("losses", [record.losses], population);
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

/** Where the losses lie in the side file that a record refers to, in bytes. */
function lossesOf(record: JournalRecord): { readonly field: string; readonly offset: number; readonly end: number }[] {
  return Object.entries(record).flatMap(([field, value]) => {
    if (field !== "rowLosses" && field !== "logLikelihoods") return [];
    const { offset, count } = value as LossesRef;
    return [{ field, offset, end: offset + count * Float64Array.BYTES_PER_ELEMENT }];
  });
}

function faultOfBaselines({ models, scales }: RecordPayloads["baselines"]): string | undefined {
  const tasks = Object.keys(scales);
  return tasks.length === 0 ? "scales: expected at least one task, found none" : faultOfTasks(models, tasks);
}

function withScores(models: readonly ScoredModel[]): readonly ScoredModel[] {
  return models.filter(({ scores }) => Object.keys(scores).length > 0);
}

function faultOfVerdict({ models }: RecordPayloads["verdict"], tasks: readonly string[]): string | undefined {
  const winners = models.filter(({ kind }) => kind === "winner").length;
  if (winners !== 1) return `models: expected one winner, found ${winners}`;
  return firstFault(models, ({ kind, intervals, gains }) => {
    if ((gains === undefined) !== (kind === "winner")) return "gains: expected them of every model but the winner";
    return (
      faultOfNames("intervals", Object.keys(intervals), tasks) ??
      (gains && faultOfNames("gains", Object.keys(gains.tasks), tasks))
    );
  });
}

function faultOfTasks(models: readonly ScoredModel[], tasks: readonly string[]): string | undefined {
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
