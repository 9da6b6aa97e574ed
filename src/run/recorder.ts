import { UserError } from "../errors.ts";
import type { Journal } from "../journal/journal.ts";
import type { JournalRecord, LossesRef, RecordPayloads, StartRecord, StepType } from "../journal/records.ts";

/**
 * The journal as memory of a run: a step that is already recorded is not taken again. Resuming is running the same
 * program from the start; it reaches the end of the journal without computing anything and goes on from there.
 */
export class Recorder {
  /** Folder of the run. */
  readonly folder: string;
  readonly #records: readonly JournalRecord[];
  /** Where new steps are written; absent when the run is only read. */
  readonly #journal: Journal | undefined;
  #next = 1;

  constructor(folder: string, records: readonly JournalRecord[], journal?: Journal) {
    this.folder = folder;
    this.#records = [...records];
    this.#journal = journal;
  }

  /** Whether new steps are refused, because only what is recorded is wanted. */
  get readOnly(): boolean {
    return this.#journal === undefined;
  }

  /** Type of the recorded step that comes next; undefined at the end of the journal. */
  get upcoming(): JournalRecord["type"] | undefined {
    return this.#records[this.#next]?.type;
  }

  /** The next step: read from the journal if it is there, else computed and recorded. */
  async step<Type extends StepType>(
    type: Type,
    compute: () => Promise<RecordPayloads[Type]>,
  ): Promise<RecordPayloads[Type]> {
    const recorded = this.#records[this.#next];
    if (!recorded) {
      const journal = this.#writable(type);
      const payload = await compute();
      journal.append({ type, ...payload } as Exclude<JournalRecord, StartRecord>);
      this.#next += 1;
      return payload;
    }
    if (recorded.type !== type) {
      throw new UserError(
        `${this.folder}: record ${this.#next + 1} of the journal: expected ${type}, found ${recorded.type}; resume with the versions that its first record names`,
      );
    }
    this.#next += 1;
    const { type: _, ...payload } = recorded;
    return payload as unknown as RecordPayloads[Type];
  }

  /** Stores per-row losses beside the journal, for the record that will name them. */
  storeLosses(losses: readonly number[]): LossesRef {
    return this.#writable("losses").appendLosses(Float64Array.from(losses));
  }

  #writable(what: string): Journal {
    if (this.#journal) return this.#journal;
    throw new UserError(`${this.folder}: the run has not got as far as its ${what}; let it go on, or resume it`);
  }
}
