/** The symbol table of an ELF file (elf.h), which debuggers read: it names functions that a library does not export, too. */
import { readAt, readingRegularFile } from "../../../files/regular-file.ts";

/** Where fields stand in a file of 64 bits: in its header, a section's, and a symbol. */
const HEADER = { bytes: 64, sections: 40, sectionBytes: 58, sectionCount: 60 } as const;
const SECTION = { bytes: 64, type: 4, offset: 24, size: 32, link: 40 } as const;
const SYMBOL = { bytes: 24, info: 4, value: 8 } as const;

/** The magic number, ELFCLASS64 and ELFDATA2LSB; SHT_SYMTAB; and STT_FUNC in the lower half of a symbol's info. */
const BEGINNING = "\x7fELF\x02\x01";
const [SYMBOL_TABLE, FUNCTION] = [2, 2];

/** What bytes of a file are. */
type Read = (offset: number, length: number) => Buffer;

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

/**
 * Functions whose names begin so: how far each is from where the library is loaded. None in a file without such a table (a
 * stripped one) or of another kind. A large table, such as PyTorch's of 90 MB, takes as much memory for a tenth of a second.
 */
export function symbolsOf(file: string, beginnings: readonly string[]): ReadonlyMap<string, bigint> {
  return readingRegularFile(file, (descriptor, size) => {
    // A header may tell of more than there is.
    const read: Read = (offset, length) => readAt(descriptor, offset, Math.max(0, Math.min(length, size - offset)));
    const sections = sectionsOf(read);
    const table = sections.find(({ type }) => type === SYMBOL_TABLE);
    const names = table && sections[table.link];
    if (!table || !names) return new Map();
    return functionsIn(read(table.offset, table.size), read(names.offset, names.size), beginnings);
  });
}

function sectionsOf(read: Read): Section[] {
  const header = read(0, HEADER.bytes);
  if (header.length < HEADER.bytes || header.toString("latin1", 0, BEGINNING.length) !== BEGINNING) return [];
  if (header.readUInt16LE(HEADER.sectionBytes) !== SECTION.bytes) return [];
  const count = header.readUInt16LE(HEADER.sectionCount);
  const sections = read(Number(header.readBigUInt64LE(HEADER.sections)), count * SECTION.bytes);
  return Array.from({ length: Math.floor(sections.length / SECTION.bytes) }, (_, i) => {
    const section = sections.subarray(i * SECTION.bytes);
    return {
      type: section.readUInt32LE(SECTION.type),
      offset: Number(section.readBigUInt64LE(SECTION.offset)),
      size: Number(section.readBigUInt64LE(SECTION.size)),
      link: section.readUInt32LE(SECTION.link),
    };
  });
}

function functionsIn(table: Buffer, names: Buffer, beginnings: readonly string[]): ReadonlyMap<string, bigint> {
  const wanted = beginnings.map((beginning) => Buffer.from(beginning));
  const functions = new Map<string, bigint>();
  for (let at = 0; at + SYMBOL.bytes <= table.length; at += SYMBOL.bytes) {
    if ((table.readUInt8(at + SYMBOL.info) & 15) !== FUNCTION) continue;
    const start = table.readUInt32LE(at);
    const value = table.readBigUInt64LE(at + SYMBOL.value);
    // Those of other libraries, which it calls, are nowhere in this one.
    if (value === 0n || !wanted.some((beginning) => standsAt(names, start, beginning))) continue;
    const end = names.indexOf(0, start);
    functions.set(names.toString("latin1", start, end < 0 ? names.length : end), value);
  }
  return functions;
}

/** Byte by byte, since nearly all of half a million names differ in the first or second. */
function standsAt(names: Buffer, start: number, beginning: Buffer): boolean {
  for (let i = 0; i < beginning.length; i += 1) if (names[start + i] !== beginning[i]) return false;
  return true;
}
