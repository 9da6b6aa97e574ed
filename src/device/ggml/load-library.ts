/** Loads shared libraries, but for files that end too soon: the loader maps what it is told of, and whoever touches that ends by SIGBUS. */
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import koffi, { type LibraryHandle } from "koffi";
import { UserError } from "../../errors.ts";
import { openFile } from "../../files/read-file.ts";

/** A file of which a part is missing, as an installation that was broken off leaves it. */
export class IncompleteLibrary extends Error {}

/**
 * Loads the library in a file, or what the loader finds by a name without a folder. Throws an IncompleteLibrary, or the
 * loader's own Error. `around` is given the loading itself.
 */
export async function loadLibrary(
  file: string,
  around: (load: () => LibraryHandle) => LibraryHandle = (load) => load(),
): Promise<LibraryHandle> {
  if (process.platform === "linux") await refuseIncomplete(file);
  return around(() => koffi.load(file));
}

async function refuseIncomplete(file: string): Promise<void> {
  // The first that is there is loaded.
  for (const place of placesOf(file)) if (await isWhole(place, file)) return;
}

/** Where the loader looks first: in folders that a person named. Those of the system are its own installer's. */
function placesOf(file: string): readonly string[] {
  if (file.includes("/")) return [file];
  const folders = (process.env["LD_LIBRARY_PATH"] ?? "").split(/[:;]/).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, file));
}

/** Whether the file is there; an IncompleteLibrary where a part of it is not. */
async function isWhole(place: string, called: string): Promise<boolean> {
  let handle: FileHandle;
  try {
    handle = await openFile(place, "a library");
  } catch (error) {
    if (error instanceof UserError) return false; // The loader says what is wrong with it.
    throw error;
  }
  try {
    const { size } = await handle.stat();
    const needed = await bytesOfElf(handle);
    if (needed <= size) return true;
    const found = `${place === called ? "it" : place} has ${size} bytes of at least ${needed}`;
    throw new IncompleteLibrary(`${found}; install the package that it is of again`);
  } finally {
    await handle.close();
  }
}

/** Where the fields of an ELF file stand (elf.h), in 32 and in 64 bits: of its header, and of each segment. */
const LAYOUTS = {
  1: { word: 4, segments: 28, sections: 32, counts: 42, offset: 4, fileSize: 16 },
  2: { word: 8, segments: 32, sections: 40, counts: 54, offset: 8, fileSize: 32 },
} as const;
const HEADER_BYTES = 64;
const LITTLE_ENDIAN = 1;

/** How long a file is at least by its own headers; 0 of any other than ELF, which the loader refuses. */
async function bytesOfElf(handle: FileHandle): Promise<number> {
  const header = await readAt(handle, 0, HEADER_BYTES);
  if (header.toString("latin1", 0, 4) !== "\x7fELF") return 0;
  const layout = LAYOUTS[header[4] === 1 ? 1 : 2];
  const isLittle = header[5] === LITTLE_ENDIAN;
  if (header.length < HEADER_BYTES || !isLittle) return HEADER_BYTES;
  const word = (bytes: Buffer, at: number): number =>
    layout.word === 4 ? bytes.readUInt32LE(at) : Number(bytes.readBigUInt64LE(at));
  const [segmentBytes = 0, segments = 0, sectionBytes = 0, sections = 0] = [0, 2, 4, 6].map((at) =>
    header.readUInt16LE(layout.counts + at),
  );
  const start = word(header, layout.segments);
  const ends = [start + segments * segmentBytes, word(header, layout.sections) + sections * sectionBytes];
  const table = await readAt(handle, start, segments * segmentBytes);
  // A table that is cut off itself ends behind the file.
  if (table.length < segments * segmentBytes || segmentBytes < layout.fileSize + layout.word) return Math.max(...ends);
  for (let i = 0; i < segments; i++) {
    const at = i * segmentBytes;
    ends.push(word(table, at + layout.offset) + word(table, at + layout.fileSize));
  }
  return Math.max(...ends);
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
