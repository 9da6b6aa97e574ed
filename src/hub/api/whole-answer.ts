import { UserError } from "../../errors.ts";

/** A page of a listing, 1000 files with their commits, has some 500 kB. */
const MAX_BYTES = 2 ** 24;

/**
 * The answer with its body read, after whatever it was packed with: one that was cut off fails here, where it is asked for
 * again, and one without end is a UserError before it has filled the memory.
 */
export async function wholeAnswer(answer: Response, address: string): Promise<Response> {
  const body = answer.body === null ? null : await readBody(answer.body, address);
  const { status, statusText, headers, url } = answer;
  return Object.defineProperty(new Response(body, { status, statusText, headers }), "url", { value: url });
}

async function readBody(body: ReadableStream<Uint8Array>, address: string): Promise<Uint8Array<ArrayBuffer>> {
  // One buffer that grows: a list of pieces would cost far more than pieces of one byte.
  let buffer = new Uint8Array(2 ** 16);
  let length = 0;
  for await (const piece of body) {
    const end = length + piece.length;
    if (end > MAX_BYTES) {
      throw new UserError(
        `${address}: expected an answer of at most ${MAX_BYTES / 2 ** 20} MiB, found more; check that HF_ENDPOINT is a Hub`,
      );
    }
    if (end > buffer.length) {
      const larger = new Uint8Array(Math.max(end, Math.min(MAX_BYTES, 2 * buffer.length)));
      larger.set(buffer.subarray(0, length));
      buffer = larger;
    }
    buffer.set(piece, length);
    length = end;
  }
  return buffer.subarray(0, length);
}
