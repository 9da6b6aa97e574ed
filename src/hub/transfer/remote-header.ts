import { type Header, LENGTH_BYTES, parseHeader, readHeaderLength } from "../../checkpoint/safetensors-header.ts";
import type { ByteSource } from "../../checkpoint/torch/byte-source.ts";
import { headerOf } from "../../checkpoint/torch/torch-content.ts";
import { readTorchContent } from "../../checkpoint/torch/torch-header.ts";
import { isTorchName } from "../../checkpoint/weight-files.ts";
import { UserError } from "../../errors.ts";
import { fetchAbout } from "../api/explain-refusal.ts";
import type { Hub } from "../api/hub.ts";
import type { RepositoryFile, Snapshot } from "../api/snapshot.ts";
import { addressOfFile, givesRange, subjectOf } from "./file-address.ts";

/** A part of a file that the server did not give. */
class NoPart extends Error {}

/**
 * What a file of weights on the Hub says of its tensors, and not a byte of them. Undefined where the server gives no part of a file; a
 * UserError for a header that is not sound.
 */
export async function remoteHeader(
  hub: Hub,
  snapshot: Snapshot,
  file: RepositoryFile,
  signal?: AbortSignal,
): Promise<Header | undefined> {
  const path = `${snapshot.name}/${file.path}`;
  const read = async (start: number, length: number): Promise<Uint8Array> => {
    const part = await readPart(hub, { snapshot, file, signal }, start, start + length);
    if (part === undefined) throw new NoPart();
    return part;
  };
  const source = { path, bytes: file.bytes, read };
  try {
    return isTorchName(file.path) ? headerOf((await readTorchContent(source)).views) : await safetensorsHeader(source);
  } catch (error) {
    if (error instanceof NoPart) return undefined;
    throw error;
  }
}

async function safetensorsHeader({ path, bytes, read }: ByteSource): Promise<Header> {
  const length = readHeaderLength(await read(0, LENGTH_BYTES), path, bytes);
  return parseHeader(await read(LENGTH_BYTES, length), path, bytes);
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
