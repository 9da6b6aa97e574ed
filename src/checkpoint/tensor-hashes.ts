/**
 * What tells the bytes of a tensor from others. Arrays of some size are hashed on threads of Node's pool, where they lie, by a function of
 * OpenSSL that Node exports for addons: this thread has a device to keep busy meanwhile. Where there is none, it does it itself.
 * @module
 */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { sha256Of } from "../files/sha256.ts";
import { updateHash } from "./pieces.ts";

/** Of less, a call takes longer than the hash. */
const LEAST_BYTES = 2 ** 18;

type Sha256 = (bytes: Uint8Array) => Promise<string>;

let found: Promise<Sha256> | undefined;

/** In hexadecimal. The bytes are not to be written to until it is there. */
export async function sha256OfTensor(bytes: Uint8Array): Promise<string> {
  if (bytes.length < LEAST_BYTES) return sha256Of(bytes);
  found ??= exportedByNode();
  return (await found)(bytes);
}

/** A function of the process itself; that of this thread where it exports none, as on Windows. */
export async function exportedByNode(): Promise<Sha256> {
  try {
    const { default: koffi } = await import("koffi");
    const hash = promisify(
      koffi.load(null).func("void *SHA256(void *bytes, size_t length, _Out_ uint8_t *digest)").async,
    );
    const sha256: Sha256 = (bytes) =>
      whileKept(bytes, async () => {
        const digest = Buffer.alloc(32);
        await hash(bytes, bytes.length, digest);
        return digest.toString("hex");
      });
    return (await isRight(sha256)) ? sha256 : inPieces;
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

/** Whether a function by this name is what it is in Node's own sources. */
async function isRight(sha256: Sha256): Promise<boolean> {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i);
  return (await sha256(bytes)) === sha256Of(bytes);
}

/** On this thread, with turns for others. */
export async function inPieces(bytes: Uint8Array): Promise<string> {
  const hash = createHash("sha256");
  await updateHash(hash, bytes);
  return hash.digest("hex");
}
