import { closeSync, constants, existsSync, fsyncSync, ftruncateSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { explainFailure, writeDurably } from "../files/durable-write.ts";
import { NumbersFile, readNumbers, readPoints } from "./numbers-file.ts";
import { RecordSequence } from "./record-sequence.ts";
import { JOURNAL_FORMAT, type JournalRecord, type NumbersRef, type StartRecord } from "./records.ts";
import { realPath } from "../files/real-path.ts";
import { removeAbandoned } from "../files/staged-name.ts";
import { openRegularFile } from "../files/regular-file.ts";
import { lineOf, readRecords, RecordReader } from "./replay.ts";
import { JOURNAL, NUMBERS, requireFree, RUN_NAMES } from "./run-files.ts";
import { WriterLock } from "./writer-lock.ts";

/** Whoever reads that a record was not written asks what became of the others. */
const KEPT = "; what was recorded before is kept, and resuming the run goes on from there";

/** What a journal tells a reader. */
export interface JournalView {
  readonly records: readonly JournalRecord[];
  /** Numbers that a record refers to; a UserError where the side file is damaged. */
  readNumbers(ref: NumbersRef): Float64Array;
  /** The same of numbers that are coordinates of points in the unit cube; a UserError where one is none. */
  readPoints(ref: NumbersRef): Float64Array;
}

/**
 * The append-only record of a run and the only thing that resuming it needs: `journal.jsonl` with one checksummed record
 * a line, and `numbers.bin` with the many numbers that records refer to, such as points and losses per row. One process at a time holds it.
 */
export class Journal implements JournalView, Disposable {
  readonly folder: string;
  /** Bytes of a torn last record that opening the journal cut off. */
  readonly tornBytes: number;
  readonly #files: Files;
  readonly #lock: WriterLock;
  readonly #records: JournalRecord[];
  readonly #sequence: RecordSequence;
  readonly #numbers: NumbersFile;
  readonly #descriptor: number;
  /** Length of the file. */
  #bytes: number;
  #isClosed = false;

  /**
   * Starts the journal of a new run; a UserError when the folder holds one that has scored anything, or other files of its
   * names, or cannot be written.
   */
  static create(folder: string, start: Omit<StartRecord, "type" | "format" | "folder">): Journal {
    return explainFailure(folder, () => {
      mkdirSync(folder, { recursive: true });
      return whileLocked(folder, (lock) => {
        const files = filesIn(folder);
        requireFree(folder);
        const record: StartRecord = { type: "start", format: JOURNAL_FORMAT, folder: realPath(folder), ...start };
        const { line } = lineOf({ sequence: 0, numberBytes: 0, record }, new RecordSequence(), {
          path: files.journal,
          bytes: 0,
        });
        writeDurably(files.numbers, "");
        // Last, because a folder with this file is a run: whatever stops a creation, it can be tried again.
        writeDurably(files.journal, line);
        return new Journal(folder, lock);
      });
    });
  }

  /**
   * Opens the journal of an interrupted run to go on with it, and cuts off a torn last record. A UserError when there is
   * no journal, when another process holds it, or when a record before the last is damaged.
   */
  static open(folder: string): Journal {
    requireJournal(folder);
    return explainFailure(folder, () => whileLocked(folder, (lock) => new Journal(folder, lock)));
  }

  private constructor(folder: string, lock: WriterLock) {
    const files = filesIn(folder);
    const { records, sequence, bytes, tornBytes } = readRecords(files.journal);
    this.folder = folder;
    this.tornBytes = tornBytes;
    this.#files = files;
    this.#lock = lock;
    this.#records = records;
    this.#sequence = sequence;
    this.#bytes = bytes;
    this.#numbers = NumbersFile.open(files.numbers, sequence.numberBytes);
    this.#descriptor = openRegularFile(files.journal, constants.O_WRONLY | constants.O_APPEND);
    ftruncateSync(this.#descriptor, bytes);
  }

  /** All records, the start record first, as a later `open` will find them. */
  get records(): readonly JournalRecord[] {
    return this.#records;
  }

  /**
   * Adds a record; it is on the disk when this returns. A failure to write is a UserError and closes the journal; so is
   * a record that a later `open` would refuse.
   */
  append(record: Exclude<JournalRecord, StartRecord>): void {
    this.#write(() => {
      const entry = { sequence: this.#records.length, numberBytes: this.#numbers.bytes, record };
      const file = { path: this.#files.journal, bytes: this.#bytes };
      const { line, readBack } = lineOf(entry, this.#sequence, file);
      // In this order: a record on the disk names numbers on the disk.
      this.#numbers.sync();
      writeFileSync(this.#descriptor, line);
      fsyncSync(this.#descriptor);
      this.#bytes += Buffer.byteLength(line);
      this.#records.push(readBack);
    });
  }

  /** Adds numbers for the next record to refer to; without such a record, opening the journal cuts them off again. */
  appendNumbers(numbers: Float64Array): NumbersRef {
    return this.#write(() => this.#numbers.append(numbers));
  }

  readNumbers(ref: NumbersRef): Float64Array {
    return readNumbers(this.#files.numbers, ref);
  }

  readPoints(ref: NumbersRef): Float64Array {
    return readPoints(this.#files.numbers, ref);
  }

  /** Releases the journal to other processes. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#descriptor);
    this.#numbers[Symbol.dispose]();
    this.#lock[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** After a failed write the end of the file is unknown, so nothing may follow it until a new `open` has cut it off. */
  #write<T>(work: () => T): T {
    if (this.#isClosed) throw new Error("journal: closed");
    try {
      return explainFailure(this.#files.journal, work, KEPT);
    } catch (error) {
      this.close();
      throw error;
    }
  }
}

/**
 * A UserError where `Journal.create` would refuse a folder, as far as it can be told before; true where a run that scored
 * nothing is in it, whose place a new one takes.
 */
export function requireFreeFolder(folder: string): boolean {
  const isLeft = requireFree(folder);
  if (isLeft) explainFailure(folder, () => WriterLock.acquire(folder)[Symbol.dispose]());
  return isLeft;
}

/** Reads the journal of a run without changing it; needs no lock, so it works while the run goes on. */
export function readJournal(folder: string): JournalView {
  const { journal } = filesIn(folder);
  requireJournal(folder);
  const { records } = explainFailure(journal, () => readRecords(journal));
  return viewOf(folder, records);
}

/**
 * The journal of a run that others write to, as it is whenever `read` is called: what was read before is not read again. It takes no
 * lock and changes nothing.
 */
export class FollowedJournal {
  readonly #folder: string;
  #reader: RecordReader;

  constructor(folder: string) {
    this.#folder = folder;
    this.#reader = new RecordReader(filesIn(folder).journal);
  }

  /** A UserError where there is no journal, or one that cannot be read. */
  read(): JournalView {
    const { journal } = filesIn(this.#folder);
    requireJournal(this.#folder);
    return explainFailure(journal, () => {
      // A run that had scored nothing makes room for a new one, and a folder may be deleted and come back.
      if (!this.#reader.isContinued()) this.#reader = new RecordReader(journal);
      this.#reader.read();
      return viewOf(this.#folder, this.#reader.records);
    });
  }
}

function viewOf(folder: string, records: readonly JournalRecord[]): JournalView {
  const { numbers } = filesIn(folder);
  return { records, readNumbers: (ref) => readNumbers(numbers, ref), readPoints: (ref) => readPoints(numbers, ref) };
}

interface Files {
  readonly journal: string;
  readonly numbers: string;
}

function filesIn(folder: string): Files {
  return { journal: join(folder, JOURNAL), numbers: join(folder, NUMBERS) };
}

function requireJournal(folder: string): void {
  if (!existsSync(filesIn(folder).journal))
    throw new UserError(`${folder} holds no run: expected the file journal.jsonl in it`);
}

/** Keeps the lock for the journal that `open` returns, and gives it back when `open` throws. */
function whileLocked(folder: string, open: (lock: WriterLock) => Journal): Journal {
  const lock = WriterLock.acquire(folder);
  try {
    removeAbandoned(folder);
    // Of the run's own files also what nothing proves, such as from before a restart or out of a container: the journal is
    // written by who has the lock alone, and tables, which take milliseconds, are made anew by the next command.
    removeAbandoned(folder, {
      isMeant: (file) => RUN_NAMES.includes(file),
      isGivenUp: (writer) => writer !== "running",
    });
    return open(lock);
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}
