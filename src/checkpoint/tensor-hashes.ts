/**
 * What tells the bytes of a tensor from others. Arrays of some size are hashed on threads of Node's pool, where they lie, by functions of
 * OpenSSL and zlib that Node exports for addons: this thread has a device to keep busy meanwhile. Where there are none, it does it itself.
 * @module
 */
import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { sha256Of } from "../files/sha256.ts";

/** Of less, a call takes longer than the hash. */
const LEAST_BYTES = 2 ** 18;
/** Some 4 ms of SHA-256. */
const PIECE_BYTES = 2 ** 23;

interface InThreads {
  readonly sha256: (bytes: Uint8Array) => Promise<string>;
  readonly crc32: (bytes: Uint8Array) => Promise<number>;
}

let found: Promise<InThreads> | undefined;

/** In hexadecimal. The bytes are not to be written to until it is there. */
export async function sha256OfTensor(bytes: Uint8Array): Promise<string> {
  return bytes.length < LEAST_BYTES ? sha256Of(bytes) : (await inThreads()).sha256(bytes);
}

/** The CRC-32 of zlib, at three times the speed: enough to tell whether a file has changed, unless somebody means it. */
export async function sumOfTensor(bytes: Uint8Array): Promise<number> {
  return bytes.length < LEAST_BYTES ? crc32(bytes) : (await inThreads()).crc32(bytes);
}

/** How this process does it. */
function inThreads(): Promise<InThreads> {
  found ??= exportedByNode();
  return found;
}

/** Functions of the process itself; those of this thread where it exports none, as on Windows. */
export async function exportedByNode(): Promise<InThreads> {
  try {
    const { default: koffi } = await import("koffi");
    const node = koffi.load(null);
    const sha256 = node.func("void *SHA256(void *bytes, size_t length, _Out_ uint8_t *digest)");
    const crc = node.func("unsigned long crc32_z(unsigned long sum, void *bytes, size_t length)");
    const [digest, sum] = [promisify(sha256.async), promisify(crc.async)];
    const functions: InThreads = {
      sha256: (bytes) =>
        whileKept(bytes, async () => {
          const written = Buffer.alloc(32);
          await digest(bytes, bytes.length, written);
          return written.toString("hex");
        }),
      crc32: (bytes) => whileKept(bytes, async () => Number(await sum(0, bytes, bytes.length))),
    };
    return (await areRight(functions)) ? functions : inPieces;
  } catch {
    return inPieces;
  }
}

/** What functions on other threads read: an address keeps no array alive. */
const kept = new Set<Uint8Array>();

async function whileKept<T>(bytes: Uint8Array, work: () => Promise<T>): Promise<T> {
  // A view of its own, so that the same array may be hashed twice at once.
  const view = bytes.subarray();
  kept.add(view);
  try {
    return await work();
  } finally {
    kept.delete(view);
  }
}

/** Whether functions by these names are what they are in Node's own sources. */
async function areRight(functions: InThreads): Promise<boolean> {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i);
  return (await functions.sha256(bytes)) === sha256Of(bytes) && (await functions.crc32(bytes)) === crc32(bytes);
}

/** On this thread, with turns for others. */
export const inPieces: InThreads = {
  sha256: async (bytes) => {
    const hash = createHash("sha256");
    for await (const piece of piecesOf(bytes)) hash.update(piece);
    return hash.digest("hex");
  },
  crc32: async (bytes) => {
    let sum = 0;
    for await (const piece of piecesOf(bytes)) sum = crc32(piece, sum);
    return sum;
  },
};

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    if (start > 0) await setImmediate();
    yield bytes.subarray(start, start + PIECE_BYTES);
  }
}
