import { type Header, LENGTH_BYTES, parseHeader, readHeaderLength } from "../../checkpoint/safetensors-header.ts";
import { UserError } from "../../errors.ts";
import { fetchAbout } from "../api/explain-refusal.ts";
import type { Hub } from "../api/hub.ts";
import type { RepositoryFile, Snapshot } from "../api/snapshot.ts";
import { addressOfFile, givesRange, subjectOf } from "./file-address.ts";

/**
 * The header of a safetensors file of the Hub, and not a byte of its tensors. Undefined where the server gives no part of a file; a
 * UserError for a header that is not sound.
 */
export async function remoteHeader(
  hub: Hub,
  snapshot: Snapshot,
  file: RepositoryFile,
  signal?: AbortSignal,
): Promise<Header | undefined> {
  const where = `${snapshot.name}/${file.path}`;
  const what = { snapshot, file, signal };
  const start = await readPart(hub, what, 0, LENGTH_BYTES);
  if (start === undefined) return undefined;
  const length = readHeaderLength(start, where, file.bytes);
  const header = await readPart(hub, what, LENGTH_BYTES, LENGTH_BYTES + length);
  return header && parseHeader(header, where, file.bytes);
}

/** Bytes from `start` up to `end` or to the end of the file. */
async function readPart(
  hub: Hub,
  { snapshot, file, signal }: { snapshot: Snapshot; file: RepositoryFile; signal: AbortSignal | undefined },
  start: number,
  end: number,
): Promise<Uint8Array | undefined> {
  const length = Math.min(end, file.bytes) - start;
  if (length <= 0) return new Uint8Array();
  const late = AbortSignal.timeout(hub.pace.patienceMs);
  const ask = fetchAbout(hub, subjectOf(snapshot), signal ? AbortSignal.any([signal, late]) : late, hub.stream);
  try {
    const headers = { "accept-encoding": "identity", range: `bytes=${start}-${start + length - 1}` };
    const response = await ask(addressOfFile(hub, snapshot, file), { headers });
    if (givesRange(response, start, file.bytes)) {
      const bytes = new Uint8Array(await response.arrayBuffer());
      return bytes.length === length ? bytes : undefined;
    }
    await response.body?.cancel();
    return undefined;
  } catch (error) {
    signal?.throwIfAborted();
    // A connection that broke tells nothing of the header; the download of the file will tell more.
    if (error instanceof UserError) throw error;
    return undefined;
  }
}
