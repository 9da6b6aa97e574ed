import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { UserError } from "../errors.ts";
import { reasonOf } from "../files/system-error.ts";
import { policyFor } from "../report/page/document.ts";
import { PAGE_SCRIPT } from "./page-script.ts";

/** What is served: it is asked again for each request. */
export interface ServedPage {
  page(): Promise<string>;
  /** Undefined where there is no part of that name. */
  part(id: string): string | undefined;
  /** A browser is told of the parts from now on, as long as it listens. */
  listen(response: ServerResponse): void;
}

export interface PageServer extends AsyncDisposable {
  /** Of the page, with the token. */
  readonly address: string;
}

export interface ServerOptions {
  /** Of those who may see the page: nobody is shown anything without it. */
  readonly token: string;
  /** Any that is free unless given. */
  readonly port?: number | undefined;
}

/** The one that no other machine reaches. */
const LOOPBACK = "127.0.0.1";
/** A page of another site that has a name of its own lead here, as in DNS rebinding, sends that name. Ports differ behind tunnels. */
const HOSTS: ReadonlySet<string> = new Set([LOOPBACK, "localhost"]);
/** Of one page a browser has six at most. */
const CONNECTIONS = 100;
/** A request is one short line. */
const REQUEST_MS = 10_000;

const TYPES = {
  page: "text/html; charset=utf-8",
  events: "text/event-stream; charset=utf-8",
  text: "text/plain; charset=utf-8",
} as const;

/** With every answer: the page is shown by no other, is kept by nobody, and tells no one its address. */
const HEADERS = {
  "Content-Security-Policy": `${policyFor(PAGE_SCRIPT)}; frame-ancestors 'none'`,
  "Cache-Control": "no-store",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
} as const;

/** Serves a page on the loopback address, to who knows the token; it can be looked at, and nothing else. A UserError where the port is not free. */
export async function servePage(page: ServedPage, { token, port = 0 }: ServerOptions): Promise<PageServer> {
  const limits = { headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS, maxHeaderSize: 16_384 };
  const server = createServer(limits, (request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    // A browser that goes away while it is answered is nobody's fault.
    response.on("error", () => {});
    void answer(page, token, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else
        refuse(response, 500, `the page could not be made: ${error instanceof Error ? error.message : String(error)}`);
    });
  });
  server.maxConnections = CONNECTIONS;
  await listening(server, port);
  return {
    address: `http://${LOOPBACK}:${(server.address() as AddressInfo).port}/${token}/`,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listening(server: Server, port: number): Promise<void> {
  try {
    server.listen({ host: LOOPBACK, port, exclusive: true });
    await once(server, "listening");
  } catch (cause) {
    throw new UserError(
      `cannot show the page on port ${port}: ${reasonOf(cause)}; choose another, or none for one that is free`,
      { cause },
    );
  }
}

async function answer(
  page: ServedPage,
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = "", url = "", headers } = request;
  const [host = ""] = (headers.host ?? "").split(":");
  if (!HOSTS.has(host)) return refuse(response, 421, "this server goes by the loopback address alone");
  if (method !== "GET" && method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    return refuse(response, 405, "this server can be looked at only");
  }
  const [, given = "", ...path] = url.split("/");
  if (!isSame(given, token)) return refuse(response, 404, "nothing is here: the address of the page has a token in it");
  const [what, id = ""] = path;
  if (what === undefined) {
    response.setHeader("Location", `/${token}/`);
    return refuse(response, 308, "the page's address ends with a slash");
  }
  if (path.length === 1 && what === "") return send(response, TYPES.page, await page.page());
  if (path.length === 1 && what === "events") {
    response.writeHead(200, { "Content-Type": TYPES.events });
    return method === "HEAD" ? void response.end() : page.listen(response);
  }
  const part = path.length === 2 && what === "parts" ? page.part(id) : undefined;
  return part === undefined ? refuse(response, 404, "the page has no such part") : send(response, TYPES.page, part);
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.statusCode = status;
  send(response, TYPES.text, `${sentence}\n`);
}

/** Of an answer to HEAD node sends the headers alone. */
function send(response: ServerResponse, type: string, content: string): void {
  response.setHeader("Content-Type", type);
  response.setHeader("Content-Length", Buffer.byteLength(content));
  response.end(content);
}

/** In a time that does not tell how much of it is right. */
function isSame(given: string, token: string): boolean {
  const [a, b] = [given, token].map((text) => createHash("sha256").update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(a, b);
}
