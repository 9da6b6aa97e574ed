import { isDeepStrictEqual } from "node:util";
import { UserError } from "../../errors.ts";
import type { Journal, JournalView } from "../../journal/journal.ts";
import { endsBudgets } from "../../journal/record-sequence.ts";
import {
  isPart,
  type JournalRecord,
  type NumbersRef,
  type PartType,
  type RecordPayloads,
  type ScoringScope,
  type ScoringStep,
  stepOf,
  type StepType,
} from "../../journal/records.ts";

type Part<Type extends PartType = PartType> = Extract<JournalRecord, { readonly type: Type }>;

/** A step as it is recorded: its parts, and itself unless the run stopped in its midst. */
interface RecordedStep {
  readonly parts: readonly Part[];
  readonly record?: JournalRecord;
  /** Of the record in the journal, counted from 1. */
  readonly number: number;
}

/**
 * The journal as memory of a run: a step that is already recorded is not taken again. Resuming is running the same
 * program from the start; it reaches the end of the journal without computing anything and goes on from there.
 */
export class Recorder {
  /** Folder of the run. */
  readonly folder: string;
  readonly #steps: readonly RecordedStep[];
  readonly #view: JournalView;
  readonly #journal: Journal | undefined;
  /** Whether the run goes on with the step that it was in the midst of; another budget decides anew what comes next. */
  readonly #takesUp: boolean;
  /** The record of the last budget, counted from 1; 0 where there is none. */
  readonly #lastBudget: number;
  #knowsParents: boolean;
  /** Whether the last budget came behind all that was planned, or finished, with another. */
  #isRebudgeted: boolean;
  #next = 0;
  /** Parts of the step under way that were recorded since the run was opened. */
  #fresh: Part[] = [];
  /** The step that was given up as it was begun. */
  #givenUp = -1;

  /** Without a journal to write new steps to, the run is only read. */
  constructor(folder: string, view: JournalView, journal?: Journal) {
    this.folder = folder;
    const last = view.records.findLast((record) => isPart(record) || record.type === "budget");
    this.#takesUp = journal !== undefined && last !== undefined && isPart(last);
    this.#lastBudget = view.records.findLastIndex(({ type }) => type === "budget") + 1;
    this.#view = view;
    this.#steps = stepsIn(view.records);
    this.#knowsParents = view.records.some(({ type }) => type === "parents");
    this.#isRebudgeted =
      view.records.findLast((record) => record.type === "budget" || endsBudgets(record))?.type === "budget";
    this.#journal = journal;
  }

  /** Whether new steps are refused, because only what is recorded is wanted. */
  get readOnly(): boolean {
    return this.#journal === undefined;
  }

  /** Whether the next step is recorded as a whole. */
  get replaying(): boolean {
    return this.#upcoming?.record !== undefined;
  }

  /** Whether the next step is recorded under a budget that another has taken the place of. */
  get outdated(): boolean {
    const { record, number = 0 } = this.#upcoming ?? {};
    return record !== undefined && number < this.#lastBudget;
  }

  /** Type of the step that comes next in the journal, or that it ends in the midst of; undefined at its end. */
  get upcoming(): JournalRecord["type"] | undefined {
    const { record, parts } = this.#upcoming ?? { parts: [] };
    const last = this.#takesUp ? parts.at(-1) : undefined;
    return record?.type ?? (last && stepOf(last));
  }

  /** Behind the first plan: whether more baselines or another plan come next, as another budget asks for. */
  get replans(): boolean {
    const { upcoming } = this;
    if (upcoming === undefined) return this.#isRebudgeted && !this.readOnly;
    return upcoming === "plan" || upcoming === "rung" || upcoming === "baselines";
  }

  /** Whether nothing comes next, because all that is recorded was read and more is not wanted. */
  get isOver(): boolean {
    return this.readOnly && this.upcoming === undefined;
  }

  /** The next step: read from the journal if it is there, else computed and recorded. */
  async step<Type extends StepType>(
    type: Type,
    compute: () => Promise<RecordPayloads[Type]>,
  ): Promise<RecordPayloads[Type]> {
    const { record: recorded, number = 0 } = this.#upcoming ?? {};
    if (!recorded) {
      const journal = this.#writable(type);
      const payload = await compute();
      const record = { type, ...payload } as Parameters<Journal["append"]>[0];
      journal.append(record);
      if (endsBudgets(record)) this.#isRebudgeted = false;
      this.#next += 1;
      this.#fresh = [];
      return payload;
    }
    if (recorded.type !== type) {
      throw new UserError(
        `${this.folder}: record ${number} of the journal: expected ${type}, found ${recorded.type}; resume with the versions that its first record names`,
      );
    }
    this.#next += 1;
    const { type: _, ...payload } = recorded;
    return payload as unknown as RecordPayloads[Type];
  }

  /**
   * The recorded parts of the next step, where it is `step` and scores this; those of a step that time ended, or of an attempt at
   * it that scored something else, are no use to those after it.
   */
  partsOf(step: ScoringStep, scope?: ScoringScope): readonly Part<"part">[] {
    const parts = this.#partsIn("part").filter((part) => part.of === step);
    return parts.slice(parts.findLastIndex((part) => !isDeepStrictEqual(part.scope, scope)) + 1);
  }

  /** The recorded parts of the generation that is the next step, with their gradients. */
  gradients(): readonly Part<"gradient">[] {
    return this.#partsIn("gradient");
  }

  /** What a step scores that was begun and not recorded as a whole; undefined where nothing of it is recorded, or it was given up. */
  begun(step: ScoringStep): ScoringScope | undefined {
    if (this.replaying || this.#next === this.#givenUp) return undefined;
    const isOf = (part: Part): part is Part<"part"> => part.type === "part" && part.of === step;
    return this.#upcoming?.parts.findLast(isOf)?.scope;
  }

  /** The next step is not gone on with as it was begun. */
  giveUp(): void {
    this.#givenUp = this.#next;
  }

  /** Records a part of the step that is being computed. */
  recordPart(part: Part): void {
    this.#writable(stepOf(part)).append(part);
    this.#fresh.push(part);
  }

  /** Records once what the parents' tensors held; before anything else that was scored with them. */
  recordParents(found: () => RecordPayloads["parents"]): void {
    if (this.#knowsParents) return;
    this.#writable("parents").append({ type: "parents", ...found() });
    this.#knowsParents = true;
  }

  /** Stores numbers, such as losses per row, beside the journal, for the record that will name them. */
  storeNumbers(numbers: ArrayLike<number>): NumbersRef {
    return this.#writable("numbers").appendNumbers(Float64Array.from(numbers));
  }

  readNumbers(ref: NumbersRef): Float64Array {
    return this.#view.readNumbers(ref);
  }

  readPoints(ref: NumbersRef): Float64Array {
    return this.#view.readPoints(ref);
  }

  #partsIn<Type extends PartType>(type: Type): readonly Part<Type>[] {
    const parts = [...(this.#upcoming?.parts ?? []), ...this.#fresh];
    return parts.filter((part): part is Part<Type> => part.type === type);
  }

  get #upcoming(): RecordedStep | undefined {
    return this.#steps[this.#next];
  }

  #writable(what: string): Journal {
    if (this.#journal) return this.#journal;
    throw new UserError(`${this.folder}: the run has not got as far as its ${what}; let it go on, or resume it`);
  }
}

/** All steps in order; the last one is of the parts after the last record. */
function stepsIn(records: readonly JournalRecord[]): RecordedStep[] {
  const steps: RecordedStep[] = [];
  let parts: Part[] = [];
  for (const [i, record] of records.entries()) {
    if (isPart(record)) {
      parts.push(record);
    } else if (isStep(record)) {
      steps.push({ parts, record, number: i + 1 });
      parts = [];
    }
  }
  return [...steps, { parts, number: records.length + 1 }];
}

function isStep({ type }: JournalRecord): boolean {
  return type !== "start" && type !== "parents" && type !== "budget" && type !== "moved";
}
