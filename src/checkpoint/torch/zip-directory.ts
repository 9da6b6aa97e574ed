/** The directory of a zip archive that holds its files as they are, as PyTorch writes it. Nothing is ever unpacked. */
import { UserError } from "../../errors.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { type ByteSource, readInside } from "./byte-source.ts";

/** A file in an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly bytes: number;
  /** Position of its own header in the archive. */
  readonly header: number;
}

/** Where the bytes of an entry are in the archive. */
export interface ZipPlace {
  readonly start: number;
  readonly bytes: number;
}

/** The entries of an archive by name, and where their list begins, before which they end. */
export interface ZipDirectory {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly start: number;
}

/** Two entries for each of 200,000 tensors, with long names. */
const MAX_DIRECTORY_BYTES = 2 ** 26;
const END = { signature: 0x06054b50, bytes: 22, maxComment: 0xffff } as const;
const LOCATOR = { signature: 0x07064b50, bytes: 20 } as const;
const END_64 = { signature: 0x06064b50, bytes: 56 } as const;
const ENTRY = { signature: 0x02014b50, bytes: 46 } as const;
const LOCAL = { signature: 0x04034b50, bytes: 30 } as const;
const ENCRYPTED = 1;
/** A number of four bytes that stands elsewhere in eight. */
const IN_64 = 0xffff_ffff;
/** Of the extra field that has the latter. */
const ZIP_64 = 1;

/** Reads the list of files at the end of an archive; a UserError where it is not sound. */
export async function readZipDirectory(source: ByteSource): Promise<ZipDirectory> {
  const { start, bytes, entries: count } = await findDirectory(source);
  if (bytes > MAX_DIRECTORY_BYTES)
    throw new UserError(
      `${source.path}: expected a zip directory of at most ${MAX_DIRECTORY_BYTES} bytes, found one of ${bytes}`,
    );
  const view = viewOf(await readInside(source, "the zip directory", { start, length: bytes }));
  const entries = new Map<string, ZipEntry>();
  for (let at = 0; at < bytes;) {
    const { entry, end } = parseEntry(source.path, view, at);
    if (entries.has(entry.name)) throw new UserError(`${source.path}: zip entry ${show(entry.name)} is there twice`);
    entries.set(entry.name, entry);
    at = end;
  }
  if (entries.size !== count)
    throw new UserError(`${source.path}: expected ${count} zip entries, found ${entries.size}`);
  return { entries, start };
}

/** Where the bytes of entries are; a UserError where two share some, or one is not before the directory. */
export async function placeEntries(
  source: ByteSource,
  { start: limit }: Pick<ZipDirectory, "start">,
  entries: readonly ZipEntry[],
): Promise<ReadonlyMap<string, ZipPlace>> {
  const places = new Map<string, ZipPlace>();
  let end = 0;
  for (const entry of entries.toSorted((a, b) => a.header - b.header)) {
    const start = await readLocalHeader(source, entry);
    if (entry.header < end || start + entry.bytes > limit)
      throw new UserError(`${source.path}: zip entry ${show(entry.name)} overlaps another part of the file`);
    end = start + entry.bytes;
    places.set(entry.name, { start, bytes: entry.bytes });
  }
  return places;
}

interface FoundDirectory extends ZipPlace {
  readonly entries: number;
}

async function findDirectory(source: ByteSource): Promise<FoundDirectory> {
  const length = Math.min(source.bytes, LOCATOR.bytes + END.bytes + END.maxComment);
  const tail = viewOf(await readInside(source, "the end", { start: source.bytes - length, length }));
  const at = findEnd(tail);
  if (at < 0)
    throw new UserError(
      `${source.path}: expected a zip archive, found no end of one; was it copied or downloaded in full?`,
    );
  const small = {
    entries: tail.getUint16(at + 10, true),
    bytes: tail.getUint32(at + 12, true),
    start: tail.getUint32(at + 16, true),
  };
  const locator = at - LOCATOR.bytes;
  const hasLocator = locator >= 0 && tail.getUint32(locator, true) === LOCATOR.signature;
  const end = source.bytes - length + (hasLocator ? locator : at);
  const found = hasLocator ? await readEnd64(source, u64(tail, locator + 8), end) : { ...small, end };
  if (found.start + found.bytes !== found.end)
    throw new UserError(
      `${source.path}: expected the zip directory right before its end, found bytes of nobody between them`,
    );
  return found;
}

async function readEnd64(
  source: ByteSource,
  start: number,
  end: number,
): Promise<FoundDirectory & { readonly end: number }> {
  const view = viewOf(await readInside(source, "the end of the zip directory", { start, length: END_64.bytes }));
  if (view.getUint32(0, true) !== END_64.signature || start + END_64.bytes !== end)
    throw new UserError(`${source.path}: expected the end of a zip64 directory at ${start}, found none`);
  return { entries: u64(view, 32), bytes: u64(view, 40), start: u64(view, 48), end: start };
}

/** The record whose comment ends with the file, or -1. */
function findEnd(tail: DataView): number {
  for (let at = tail.byteLength - END.bytes; at >= 0; at--) {
    const isEnd = tail.getUint32(at, true) === END.signature;
    if (isEnd && at + END.bytes + tail.getUint16(at + 20, true) === tail.byteLength) return at;
  }
  return -1;
}

function parseEntry(path: string, view: DataView, at: number): { readonly entry: ZipEntry; readonly end: number } {
  const fault = (text: string): UserError => new UserError(`${path}: the zip directory: ${text}`);
  if (at + ENTRY.bytes > view.byteLength || view.getUint32(at, true) !== ENTRY.signature)
    throw fault(`expected an entry at its byte ${at}, found none`);
  const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((i) => view.getUint16(at + i, true)) as [
    number,
    number,
    number,
  ];
  const nameStart = at + ENTRY.bytes;
  const extraStart = nameStart + nameBytes;
  const end = extraStart + extraBytes + commentBytes;
  if (end > view.byteLength) throw fault(`expected an entry at its byte ${at}, found one that is longer than it`);
  const name = Buffer.from(view.buffer, view.byteOffset + nameStart, nameBytes).toString("utf8");
  if (view.getUint16(at + 8, true) & ENCRYPTED) throw fault(`${show(name)} is encrypted`);
  if (view.getUint16(at + 10, true) !== 0)
    throw fault(`expected ${show(name)} as it is, found it compressed; save the weights again with torch.save`);
  const wide = zip64Numbers(view, extraStart, extraStart + extraBytes);
  // Those of eight bytes are there in this order, each only if it is needed.
  const [bytes, stored, header] = [24, 20, 42].map((i) => {
    const small = view.getUint32(at + i, true);
    return small === IN_64 ? (wide.shift() ?? small) : small;
  }) as [number, number, number];
  if (bytes !== stored) throw fault(`expected ${show(name)} of ${bytes} bytes, found ${stored}`);
  return { entry: { name, bytes, header }, end };
}

function zip64Numbers(view: DataView, start: number, end: number): number[] {
  for (let at = start; at + 4 <= end;) {
    const length = view.getUint16(at + 2, true);
    const isFound = view.getUint16(at, true) === ZIP_64 && at + 4 + length <= end;
    if (isFound) return Array.from({ length: Math.floor(length / 8) }, (_, i) => u64(view, at + 4 + 8 * i));
    at += 4 + length;
  }
  return [];
}

/** The position of an entry's first byte. */
async function readLocalHeader(source: ByteSource, { name, header: start }: ZipEntry): Promise<number> {
  const nameBytes = Buffer.byteLength(name);
  const what = `the zip entry ${show(name)}`;
  const view = viewOf(await readInside(source, what, { start, length: LOCAL.bytes + nameBytes }));
  const isSame =
    view.getUint32(0, true) === LOCAL.signature &&
    view.getUint16(26, true) === nameBytes &&
    Buffer.from(view.buffer, view.byteOffset + LOCAL.bytes, nameBytes).toString("utf8") === name;
  if (!isSame) throw new UserError(`${source.path}: expected ${what} at ${start}, found another`);
  return start + LOCAL.bytes + nameBytes + view.getUint16(28, true);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** Beyond 2^53 it is not exact, and beyond any file. */
function u64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}
