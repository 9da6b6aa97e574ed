import { contentOf, type Content } from "./content.ts";

/** A response before it is sent. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Content;
}

/** The codes of the Hub's X-Error-Code header. */
export type ErrorCode = "RepoNotFound" | "RevisionNotFound" | "EntryNotFound" | "GatedRepo";

/** Thrown by whatever serves a request to answer it with an error. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly answer: Answer;

  constructor(status: number, error: string, code?: ErrorCode) {
    super(error);
    const headers = { "X-Error-Message": error, ...(code && { "X-Error-Code": code }) };
    this.answer = json({ error }, { status, headers });
  }
}

export function json(
  value: unknown,
  { status = 200, headers = {} }: { status?: number; headers?: Readonly<Record<string, string>> } = {},
): Answer {
  const type = { "Content-Type": "application/json; charset=utf-8" };
  return { status, headers: { ...type, ...headers }, body: contentOf(JSON.stringify(value)) };
}

export function redirect(status: 302 | 307, location: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { ...headers, Location: location }, body: contentOf(`Redirecting to ${location}`) };
}

/** The part of a content that a Range header asks for: 206, 416, or 200 with all of it. */
export function ranged(content: Content, range: string | undefined, headers: Readonly<Record<string, string>>): Answer {
  const all = { ...headers, "Accept-Ranges": "bytes" };
  const { from = "", to = "" } = /^bytes=(?<from>\d*)-(?<to>\d*)$/.exec(range ?? "")?.groups ?? {};
  if (from === "" && to === "") return { status: 200, headers: all, body: content };
  const { bytes } = content;
  const start = from === "" ? Math.max(0, bytes - Number(to)) : Number(from);
  const end = from === "" || to === "" ? bytes : Math.min(Number(to) + 1, bytes);
  if (start >= end)
    return { status: 416, headers: { ...all, "Content-Range": `bytes */${bytes}` }, body: contentOf("") };
  return {
    status: 206,
    headers: { ...all, "Content-Range": `bytes ${start}-${end - 1}/${bytes}` },
    body: { bytes: end - start, read: (from, to) => content.read(start + from, start + to) },
  };
}
