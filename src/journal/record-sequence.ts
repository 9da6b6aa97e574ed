import type { Entry } from "./record-line.ts";
import { faultOfSizes } from "./record-sizes.ts";
import { knownAfter, NOTHING_KNOWN } from "./known-sizes.ts";
import { isPart, type JournalRecord, type NumbersRef, type PartType, type RecordType, stepOf } from "./records.ts";

/** A record between steps, which may stand anywhere behind the start. */
type Note = "budget" | "moved";

/** What may stand right before each kind of record; its parts and notes may stand between. */
const predecessors: Readonly<Record<Exclude<RecordType, PartType | Note>, readonly (RecordType | "nothing")[]>> = {
  start: ["nothing"],
  parents: ["start"],
  forecast: ["parents"],
  // Not behind the forecast: what another budget has time for.
  rung: ["forecast", "rung", "plan", "ask", "result", "finalists", "verdict", "texts"],
  baselines: ["forecast", "rung"],
  // Not behind the baselines: the plan of another budget.
  plan: ["baselines", "plan", "ask", "result", "finalists", "verdict", "texts"],
  ask: ["plan", "result"],
  result: ["ask"],
  // An ask without a result: time ran out in its midst.
  finalists: ["plan", "ask", "result"],
  verdict: ["finalists"],
  texts: ["verdict"],
};

/** The records of a journal as they come, each held against those before it: what follows on what, and equal sizes. */
export class RecordSequence {
  #length = 0;
  #numberBytes = 0;
  /** Where the numbers end that records have referred to; no two have the same. */
  #taken = 0;
  #last: RecordType | "nothing" = "nothing";
  #known = NOTHING_KNOWN;
  /** Whether a budget came that nothing has been planned, or finished, with. */
  #isRebudgeted = false;

  /** Records that were added. */
  get length(): number {
    return this.#length;
  }

  /** Length of the side file when the last record was written. */
  get numberBytes(): number {
    return this.#numberBytes;
  }

  /** Adds the next record; says what is wrong with it, and leaves it out, when it does not follow on the others. */
  add(entry: Entry): string | undefined {
    const fault = this.#faultOf(entry);
    if (fault !== undefined) return fault;
    const { record, numberBytes } = entry;
    this.#length += 1;
    this.#numberBytes = numberBytes;
    for (const { end } of this.#placesOf(record)) this.#taken = end;
    if (record.type === "budget") this.#isRebudgeted = true;
    if (endsBudgets(record)) this.#isRebudgeted = false;
    if (!isPart(record) && !isNote(record)) this.#last = record.type;
    this.#known = knownAfter(this.#known, record);
    return undefined;
  }

  #faultOf({ record, numberBytes }: Entry): string | undefined {
    const fault = this.#faultOfPlace(record);
    if (fault !== undefined) return fault;
    if (numberBytes < this.#numberBytes)
      return `numberBytes: expected at least ${this.#numberBytes}, found ${numberBytes}`;
    for (const { field, offset, end } of this.#placesOf(record)) {
      if (end > numberBytes) return `${field}: expected an end of at most ${numberBytes} bytes, found ${end}`;
      if (offset >= this.#taken) continue;
      return `${field}: expected a beginning behind the ${this.#taken} bytes of earlier records, found ${offset}`;
    }
    return faultOfSizes(record, this.#known);
  }

  /** Of its own numbers: a plan for another budget has none, but those of the first. */
  #placesOf(record: JournalRecord): Place[] {
    return record.type === "plan" && this.#known.plan ? [] : placesOf(record);
  }

  #faultOfPlace(record: JournalRecord): string | undefined {
    if (isNote(record)) return this.#last === "nothing" ? "expected it after start" : undefined;
    const type = isPart(record) ? stepOf(record) : record.type;
    const before = predecessors[type];
    if (!before.includes(this.#last)) return `expected it after ${before.join(" or ")}, found it after ${this.#last}`;
    const first = type === "plan" ? ["baselines"] : type === "rung" ? ["forecast", "rung"] : before;
    if (first.includes(this.#last) || this.#isRebudgeted) return undefined;
    return `expected it after ${first.join(" or ")} or another budget, found it after ${this.#last}`;
  }
}

function isNote(record: JournalRecord): record is Extract<JournalRecord, { readonly type: Note }> {
  return record.type === "budget" || record.type === "moved";
}

/** Whether what was planned or finished here was with the budget of that moment. */
export function endsBudgets({ type }: JournalRecord): boolean {
  return type === "plan" || type === "finalists" || type === "verdict";
}

/** Fields of records that refer to the side file. */
const REFERENCES: ReadonlySet<string> = new Set([
  "start",
  "inject",
  "points",
  "rowLosses",
  "logLikelihoods",
  "gradients",
]);

/** Where the numbers of a field lie in the side file, in bytes. */
interface Place {
  readonly field: string;
  readonly offset: number;
  readonly end: number;
}

function placesOf(record: JournalRecord): Place[] {
  return Object.entries(record).flatMap(([field, value]) => {
    if (!REFERENCES.has(field)) return [];
    const { offset, count } = value as NumbersRef;
    return [{ field, offset, end: offset + count * Float64Array.BYTES_PER_ELEMENT }];
  });
}
