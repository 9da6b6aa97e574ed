import { setTimeout as sleep } from "node:timers/promises";
import { reasonOf } from "../../files/system-error.ts";
import { UserError } from "../../errors.ts";
import { fetchAbout } from "../api/explain-refusal.ts";
import type { Hub } from "../api/hub.ts";
import { addressOfFile, givesRange, subjectOf } from "./file-address.ts";
import { PartialFile } from "./partial-file.ts";
import { backoff, NoAnswerError } from "../api/retrying-fetch.ts";
import type { RepositoryFile, Snapshot } from "../api/snapshot.ts";

const TRIES_WITHOUT_PROGRESS = 5;
/** What is less in the time for an answer, or in a whole connection, is no progress: a file could take for ever. */
const LEAST_BYTES = 4096;

/** What is downloaded, and who is told how many bytes came; a negative number when some are thrown away. */
export interface Download {
  readonly snapshot: Snapshot;
  readonly file: RepositoryFile;
  readonly onBytes: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Downloads a file to `blob`, whose lock the caller holds. Goes on from what an earlier try left, and from the byte reached
 * when the connection breaks. Content with another digest than the Hub lists is fetched once more from the start, and
 * then refused with a UserError.
 */
export async function download(hub: Hub, blob: string, what: Download): Promise<void> {
  const { file, onBytes, signal } = what;
  await using partial = await PartialFile.open(blob, file, signal);
  onBytes(partial.length);
  const expected = file.sha256 ?? file.blob;
  for (const remaining of [1, 0]) {
    await receiveAll(hub, partial, what);
    const found = partial.digest();
    if (found === expected) return await partial.publish();
    onBytes(-partial.length);
    if (remaining > 0) await partial.restart();
    else throw await refuse(hub, partial, what, found);
  }
}

async function refuse(hub: Hub, partial: PartialFile, { snapshot, file }: Download, found: string): Promise<UserError> {
  await partial.remove();
  const [kind, expected] = file.sha256 === undefined ? ["git sha1", file.blob] : ["sha256", file.sha256];
  return new UserError(
    `${addressOfFile(hub, snapshot, file)} has ${kind} ${found}, twice, where the Hub lists ${expected}; ` +
      "try again later, or look for a proxy that changes what it passes on",
  );
}

/** Until all bytes are there, over as many connections as it takes while each brings some. */
async function receiveAll(hub: Hub, partial: PartialFile, what: Download): Promise<void> {
  const { file, signal } = what;
  let fruitless = 0;
  let withRange = true;
  while (partial.length < file.bytes) {
    const before = partial.length;
    let reason = "the connection ended early";
    try {
      withRange = await receive(hub, partial, what, withRange);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof UserError) throw error;
      reason = reasonOf(error instanceof Error && error.cause instanceof Error ? error.cause : error);
    }
    if (partial.length >= file.bytes) return;
    fruitless = partial.length >= before + LEAST_BYTES ? 0 : fruitless + 1;
    if (fruitless === TRIES_WITHOUT_PROGRESS)
      throw new NoAnswerError(
        `${addressOfFile(hub, what.snapshot, file)}: ${reason}, ${fruitless} times at byte ${partial.length} of ${file.bytes}; ` +
          "check the network and try again: the download goes on from there",
      );
    await sleep(backoff(fruitless, hub.pace.backoffMs), undefined, signal ? { signal } : {});
  }
}

/** Receives over one connection what it brings; false when the server does not give the range it was asked for. */
async function receive(hub: Hub, partial: PartialFile, what: Download, withRange: boolean): Promise<boolean> {
  const { snapshot, file, onBytes, signal } = what;
  using patience = new Patience(hub.pace.patienceMs);
  const abort = signal ? AbortSignal.any([signal, patience.signal]) : patience.signal;
  const start = partial.length;
  const ask = fetchAbout(hub, subjectOf(snapshot), abort, hub.stream);
  const response = await ask(addressOfFile(hub, snapshot, file), {
    headers: { "accept-encoding": "identity", ...(withRange ? { range: `bytes=${start}-` } : {}) },
  });
  if (response.status === 206 && !givesRange(response, start, file.bytes)) {
    await response.body?.cancel();
    return false;
  }
  if (response.status === 200 && hasOtherLength(response, file.bytes)) {
    await response.body?.cancel();
    throw new Error(`the answer has ${response.headers.get("content-length")} bytes`);
  }
  patience.renew(LEAST_BYTES);
  let skip = response.status === 206 ? 0 : start;
  for await (const chunk of response.body ?? []) {
    patience.renew(chunk.length);
    const fresh = chunk.subarray(skip);
    skip = Math.max(0, skip - chunk.length);
    if (fresh.length === 0) continue;
    await partial.append(fresh);
    onBytes(fresh.length);
    if (partial.length > file.bytes) break; // longer than listed: the digest will differ
  }
  return withRange;
}

/** So has the page of a proxy that stands in for the file; as its beginning it would spoil all that is appended later. */
function hasOtherLength({ headers }: Response, bytes: number): boolean {
  const length = headers.get("content-length");
  return length !== null && !headers.has("content-encoding") && Number(length) !== bytes;
}

/** Aborts its signal when some time has brought less than the least bytes. */
class Patience implements Disposable {
  readonly #controller = new AbortController();
  readonly #ms: number;
  #timer: NodeJS.Timeout | undefined;
  #bytes = 0;

  constructor(ms: number) {
    this.#ms = ms;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  renew(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < LEAST_BYTES) return;
    this.#bytes = 0;
    this.#timer ??= setTimeout(
      () => this.#controller.abort(new Error(`fewer than ${LEAST_BYTES} bytes in ${this.#ms / 1000} s`)),
      this.#ms,
    );
    this.#timer.refresh();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
