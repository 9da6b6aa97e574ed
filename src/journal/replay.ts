import { UserError } from "../errors.ts";
import { decodeEntry } from "./record-line.ts";
import { JOURNAL_FORMAT, type JournalRecord } from "./records.ts";

/** What a journal file holds. */
export interface Replay {
  readonly records: JournalRecord[];
  /** Bytes of whole records; what follows is a torn one. */
  readonly bytes: number;
  /** Length of the side file when the last record was written. */
  readonly lossBytes: number;
}

/**
 * Reads all records of a journal. A damaged last record was being written when the process or the machine stopped and
 * nothing has relied on it yet, so it is left out; damage before it is a UserError that names the record.
 */
export function replay(content: Buffer, path: string): Replay {
  const records: JournalRecord[] = [];
  let bytes = 0;
  let lossBytes = 0;
  while (bytes < content.length) {
    const end = content.indexOf("\n", bytes);
    const entry = end === -1 ? undefined : decodeEntry(content.toString("utf8", bytes, end));
    if (entry === undefined && (end === -1 || end === content.length - 1)) break;
    if (entry?.sequence !== records.length) throw damaged(path, records.length);
    records.push(entry.record);
    bytes = end + 1;
    lossBytes = entry.lossBytes;
  }
  checkStart(records[0], path);
  return { records, bytes, lossBytes };
}

function checkStart(first: JournalRecord | undefined, path: string): void {
  if (first?.type !== "start") throw damaged(path, 0);
  if (first.format !== JOURNAL_FORMAT) {
    throw new UserError(
      `${path}: expected journal format ${JOURNAL_FORMAT}, found ${first.format}; use the version that wrote it`,
    );
  }
}

function damaged(path: string, sequence: number): UserError {
  const expected = sequence === 0 ? "the start record" : `a valid checksum and sequence ${sequence}`;
  return new UserError(
    `${path}: record ${sequence + 1} is damaged: expected ${expected}; restore the file from a copy or start a new run`,
  );
}
