import { expectation } from "../config/expectation.ts";
import { firstFaultOf } from "../config/faults.ts";
import { UserError } from "../errors.ts";
import { isJsonObject } from "../files/json-object.ts";
import { showUntrusted } from "../files/show-untrusted.ts";
import { decodeLine, encodeEntry, type Entry } from "./record-line.ts";
import { entrySchema } from "./record-schemas.ts";
import { RecordSequence } from "./record-sequence.ts";
import { JOURNAL_FORMAT, type JournalRecord } from "./records.ts";
import { readAt, readingRegularFile } from "../files/regular-file.ts";

/** All records of a journal are held in memory, so no larger one is read, or written. */
const MAX_BYTES = 2 ** 28;

/** Of one record; the largest have a winner: its recipe may have coefficients of every column, as text of megabytes. */
const MAX_LINE_BYTES = 2 ** 26;

/** Of one record: items of lists and mappings, each of which takes memory of its own, as the characters of a text do not. */
const MAX_ITEMS = 2 ** 22;

/** Characters in front of items. */
const [COMMA, BRACKET, BRACE] = Buffer.from(",[{");

const LIMITS = `a record has at most ${MAX_LINE_BYTES} bytes and ${MAX_ITEMS} items, and a journal ${MAX_BYTES} bytes`;

const REMEDY = "restore the file from a copy or start a new run";

/** What a journal file holds. */
export interface Replay {
  readonly records: JournalRecord[];
  /** What the next record has to follow on. */
  readonly sequence: RecordSequence;
  /** Bytes of whole records. */
  readonly bytes: number;
  /** Bytes after them, of a torn one. */
  readonly tornBytes: number;
}

/**
 * Reads all records of a journal. A damaged last record was being written when the process or the machine stopped and
 * nothing has relied on it yet, so it is left out. Damage before it is a UserError that names the record, and so is a
 * record that no run writes, whatever its checksum says.
 */
export function readRecords(path: string): Replay {
  const reader = new RecordReader(path);
  reader.read();
  return reader;
}

/** The last bytes of a line, its checksum among them. */
const TAIL_BYTES = 24;

/** Reads a journal, and then what was added to it. */
export class RecordReader implements Replay {
  readonly records: JournalRecord[] = [];
  readonly sequence = new RecordSequence();
  readonly #path: string;
  #bytes = 0;
  #tornBytes = 0;
  /** With which the whole records end. */
  #tail: Uint8Array = new Uint8Array();

  constructor(path: string) {
    this.#path = path;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get tornBytes(): number {
    return this.#tornBytes;
  }

  /** Whether the file still has, where they were, the records that were read; another may have taken its place. */
  isContinued(): boolean {
    const { length } = this.#tail;
    const found = readingRegularFile(this.#path, (descriptor) => readAt(descriptor, this.#bytes - length, length));
    return found.equals(this.#tail);
  }

  /** Reads on as far as there are whole records. */
  read(): void {
    const content = readingRegularFile(this.#path, (descriptor, size) => {
      if (size > MAX_BYTES)
        throw new UserError(`${this.#path}: expected at most ${MAX_BYTES} bytes, found ${size}; ${REMEDY}`);
      return readAt(descriptor, this.#bytes, Math.max(0, size - this.#bytes));
    });
    let done = 0;
    while (done < content.length) {
      const end = content.indexOf("\n", done);
      if (end === -1) break;
      const line = content.subarray(done, end);
      if (!fits(line)) {
        const number = this.records.length + 1;
        throw new UserError(`${this.#path}: record ${number} is none that a run writes: ${LIMITS}; ${REMEDY}`);
      }
      const found = decodeLine(line.toString());
      if (found === undefined && end === content.length - 1) break;
      this.records.push(nextRecord(found, this.sequence, this.#path));
      this.#bytes += end + 1 - done;
      // Copied, so that it keeps nothing else in memory.
      this.#tail = Uint8Array.from(content.subarray(Math.max(0, end + 1 - TAIL_BYTES), end + 1));
      done = end + 1;
    }
    if (this.records.length === 0) throw damaged(this.#path, 0);
    this.#tornBytes = content.length - done;
  }
}

/** The line of the next record, and the record as a reader will find it; a UserError where a reader would refuse it. */
export function lineOf(
  entry: Entry,
  sequence: RecordSequence,
  { path, bytes }: { readonly path: string; readonly bytes: number },
): { readonly line: string; readonly readBack: JournalRecord } {
  const line = encodeEntry(entry);
  const content = Buffer.from(line);
  if (!fits(content) || bytes + content.length > MAX_BYTES) {
    const remedy = "export the best so far, or start a run with fewer genes";
    throw new UserError(`${path}: ${LIMITS}, which the next ${entry.record.type} would exceed; ${remedy}`);
  }
  return { line, readBack: nextRecord(decodeLine(line.slice(0, -1)), sequence, path) };
}

/** Whether a line holds no more than a reader takes. */
function fits(line: Uint8Array): boolean {
  if (line.length > MAX_LINE_BYTES) return false;
  // So short a one has no more items.
  if (line.length <= MAX_ITEMS) return true;
  let items = 0;
  for (const byte of line) {
    if (byte === COMMA || byte === BRACKET || byte === BRACE) items += 1;
  }
  return items <= MAX_ITEMS;
}

/** Adds what a line holds to the records before it; a UserError when it is not the record that comes next. */
function nextRecord(found: unknown, sequence: RecordSequence, path: string): JournalRecord {
  const { length } = sequence;
  if (!isJsonObject(found) || found["sequence"] !== length) throw damaged(path, length);
  if (length === 0) checkFormat(found["record"], path);
  const parsed = entrySchema.safeParse(found, { error: expectation, reportInput: true });
  const fault = parsed.success ? sequence.add(parsed.data) : firstFaultOf(parsed.error.issues);
  if (parsed.success && fault === undefined) return parsed.data.record;
  throw new UserError(`${path}: record ${length + 1} is none that a run writes: ${fault}; ${REMEDY}`);
}

/** Before anything else, since another format has other records. */
function checkFormat(start: unknown, path: string): void {
  if (!isJsonObject(start) || start["type"] !== "start") throw damaged(path, 0);
  if (start["format"] === JOURNAL_FORMAT) return;
  const found = showUntrusted(start["format"]);
  throw new UserError(
    `${path}: expected journal format ${JOURNAL_FORMAT}, found ${found}; use the version that wrote it`,
  );
}

function damaged(path: string, sequence: number): UserError {
  const expected = sequence === 0 ? "the start record" : `a valid checksum and sequence ${sequence}`;
  return new UserError(`${path}: record ${sequence + 1} is damaged: expected ${expected}; ${REMEDY}`);
}
