import { setTimeout as wait } from "node:timers/promises";
import type { Content } from "./content.ts";

/** What the server saw of a request. */
export interface LoggedRequest {
  readonly method: string;
  /** With the query, as it was sent. */
  readonly path: string;
  /** The Range header, such as `bytes=0-99`. */
  readonly range?: string;
  readonly authorization?: string;
}

/** Whether a request is for the header of a file of weights alone; downloads ask for everything from some byte on. */
export function isForHeader({ range = "" }: Pick<LoggedRequest, "range">): boolean {
  return /^bytes=\d+-\d+$/.test(range);
}

/** What goes wrong with a response; several fields may be given together. */
export interface Disturbance {
  /** Answers with this status and an empty JSON object instead. */
  readonly status?: number;
  /** Headers to add, such as Retry-After. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Closes the connection without an answer. */
  readonly hangUp?: true;
  /** Closes the connection after so many bytes of the body. */
  readonly dropAfterBytes?: number;
  readonly slowBytesPerSecond?: number;
  /** Flips the lowest bit of the body's last byte. */
  readonly corrupt?: true;
  /** Waits so long before the headers, or after the first `stallAfterBytes` bytes of the body. */
  readonly stallMs?: number;
  readonly stallAfterBytes?: number;
  /** Sends the whole file with status 200 to whoever asks for a part of it. */
  readonly ignoreRange?: true;
}

export interface Fault {
  readonly match: (request: LoggedRequest) => boolean;
  /** How many matching requests it hits, 1 unless given. */
  readonly times?: number;
  readonly do: Disturbance;
}

const pausesPerSecond = 50;

/** The body's bytes as the disturbance lets them through, up to where the connection is to be closed. */
export async function* disturbed(body: Content, what: Disturbance, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { slowBytesPerSecond: speed, stallMs = 0 } = what;
  const end = Math.min(what.dropAfterBytes ?? body.bytes, body.bytes);
  const stallAt = Math.min(what.stallAfterBytes ?? end, end);
  for await (const chunk of body.read(0, stallAt)) yield* paced(chunk, speed, signal);
  if (what.stallAfterBytes !== undefined) await wait(stallMs, undefined, { signal });
  for await (const chunk of body.read(stallAt, end)) yield* paced(chunk, speed, signal);
}

/** A body whose last byte is wrong. */
export function corrupted(body: Content): Content {
  return {
    bytes: body.bytes,
    async *read(start, end) {
      let at = start;
      for await (const chunk of body.read(start, end)) {
        at += chunk.byteLength;
        const wrong = Uint8Array.from(chunk);
        if (at === body.bytes && wrong.length > 0) wrong[wrong.length - 1]! ^= 1;
        yield wrong;
      }
    },
  };
}

async function* paced(chunk: Uint8Array, speed: number | undefined, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (speed === undefined) {
    yield chunk;
    return;
  }
  const step = Math.max(1, Math.round(speed / pausesPerSecond));
  for (let at = 0; at < chunk.byteLength; at += step) {
    await wait((1000 * step) / speed, undefined, { signal });
    yield chunk.subarray(at, at + step);
  }
}
