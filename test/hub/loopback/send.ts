import type { ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import type { Answer } from "./answer.ts";
import { corrupted, disturbed, type Disturbance } from "./fault.ts";

/** Writes an answer as the disturbance lets it through; throws when the connection is closed meanwhile. */
export async function send(
  response: ServerResponse,
  { status, headers, body }: Answer,
  what: Disturbance,
): Promise<void> {
  const closed = new AbortController();
  response.on("close", () => closed.abort());
  if (what.stallAfterBytes === undefined && what.stallMs) await wait(what.stallMs, undefined, closed);
  response.writeHead(status, { ...headers, "Content-Length": body.bytes, ...what.headers });
  if (response.req.method === "HEAD") return void response.end();
  response.flushHeaders();
  for await (const chunk of disturbed(what.corrupt ? corrupted(body) : body, what, closed.signal)) {
    // Waits until the chunk has left, so that a cut connection has delivered exactly the bytes before the cut.
    await new Promise<void>((resolve, reject) => {
      response.write(chunk, (error) => (error ? reject(error) : resolve()));
    });
  }
  if (what.dropAfterBytes === undefined) response.end();
  else response.destroy();
}
