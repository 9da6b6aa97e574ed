import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { createBrotliCompress, createGzip, constants } from "node:zlib";
import type { RawAnswer } from "../loopback-hub.ts";

export const json =
  (value: unknown, headers: Record<string, string> = {}): RawAnswer =>
  (_, response) =>
    response.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));

export const text =
  (body: string | Buffer, headers: Record<string, string> = {}, status = 200): RawAnswer =>
  (_, response) =>
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);

export const redirect = (location: string): RawAnswer => text("", { location }, 307);

/** Until whoever reads it hangs up. */
export async function forever(response: ServerResponse, next: () => string | Uint8Array, pauseMs = 0): Promise<void> {
  while (!response.destroyed) {
    const isTaken = response.write(next());
    // A client that reads nothing more is not to fill the memory of the server.
    await wait(isTaken ? pauseMs : Math.max(pauseMs, 1));
  }
}

export const endless =
  (beginning: string, piece: string, pauseMs = 0): RawAnswer =>
  async (_, response) => {
    response.writeHead(200, { "content-type": "application/json" }).write(beginning);
    await forever(response, () => piece, pauseMs);
  };

function* zeros(megabytes: number): Generator<Buffer> {
  yield Buffer.from('{"a":"');
  for (let i = 0; i < megabytes; i++) yield Buffer.alloc(2 ** 20, "0");
}

export const bomb =
  (encoding: "gzip" | "br"): RawAnswer =>
  (_, response) => {
    response.on("error", () => {}).writeHead(200, { "content-type": "application/json", "content-encoding": encoding });
    const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
    const packed = Readable.from(zeros(512)).pipe(
      encoding === "gzip" ? createGzip({ level: 1 }) : createBrotliCompress(quick),
    );
    response.on("close", () => packed.destroy());
    packed.pipe(response);
  };
