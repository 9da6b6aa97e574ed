import { setTimeout as sleep } from "node:timers/promises";
import { reasonOf } from "../../files/system-error.ts";
import { UserError } from "../../errors.ts";
import { wholeAnswer } from "./whole-answer.ts";

const REPETITIONS = 5;
/** Where nothing has ever answered, there is no network to wait for. */
const REPETITIONS_UNREACHED = 1;
/** No name could be looked up, or nobody is there: codes of the system. */
const UNREACHABLE: ReadonlySet<unknown> = new Set(
  "ENOTFOUND EAI_AGAIN ECONNREFUSED ENETUNREACH EHOSTUNREACH ENETDOWN".split(" "),
);
/** Of all pauses of a request; a server that wants more than this is told about instead of waited for. */
const LONGEST_WAIT_MS = 300_000;

/** Where requests go, and how. */
export interface Connection {
  /** Such as `https://huggingface.co`, without a slash at the end. */
  readonly endpoint: string;
  /** Sent to the endpoint alone; never to be shown. */
  readonly token?: string;
  /** Whether no request may be made. */
  readonly offline: boolean;
  readonly pace: RequestPace;
}

/** How long to wait. */
export interface RequestPace {
  /** Before the first repetition of a request; doubled for each one after it. */
  readonly backoffMs: number;
  /** For an answer, and for the next bytes of it. */
  readonly patienceMs: number;
}

/** What requests so far tell of the network. */
export interface Reach {
  /** Whether anything has answered yet. */
  answered: boolean;
  /** Whether a request was given up because nobody could be reached. */
  failed: boolean;
}

/** The network or the Hub gave no answer, so that nothing is known of what was asked. */
export class NoAnswerError extends UserError {}

/** What a request gave: an answer, or the reason why there is none. */
type RequestOutcome = Response | Error;

/**
 * A fetch for the Hub. It adds the token to requests to the endpoint and to no others (fetch itself drops the header when
 * it is redirected to another host), and repeats what may succeed later: no connection, no answer in time, statuses 408,
 * 429 and 5xx, waiting longer each time or as long as the server says; where nobody was ever reached, once and soon. Requests that change something are repeated only
 * when refused for their number. In the end it answers, or throws a NoAnswerError; an abort of the signal is passed on at once.
 *
 * The body comes `whole`, read within the time for an answer and within a limit, or as a `stream` that the caller reads with
 * limits of its own.
 */
export function retryingFetch(hub: Connection, body: "whole" | "stream", reach: Reach): typeof fetch {
  return async (input, init = {}) => {
    // A request's body could be read once only; everything that calls us gives an address.
    if (input instanceof Request) throw new Error("retryingFetch takes an address, not a Request");
    const url = new URL(input);
    if (hub.offline) throw new UserError(`${addressOf(url)} is not asked because HF_HUB_OFFLINE is set; unset it`);
    const request = { ...init, headers: withToken(hub, url, init.headers) };
    let waitedMs = 0;
    for (let repetition = 0; ; repetition++) {
      const outcome = await attempt(url, request, hub.pace.patienceMs, body);
      reach.answered ||= outcome instanceof Response;
      if (outcome instanceof Response && !isTransient(outcome.status)) return outcome;
      init.signal?.throwIfAborted();
      const delayMs = delayBefore(repetition, outcome, hub.pace.backoffMs);
      waitedMs += delayMs;
      const isLast = repetition >= repetitionsAfter(outcome, reach) || waitedMs > LONGEST_WAIT_MS;
      if (isLast || !mayRepeat(request, outcome)) {
        reach.failed ||= isUnreachable(outcome);
        throw failure(url, outcome, repetition + 1);
      }
      if (outcome instanceof Response) await outcome.body?.cancel();
      await sleep(delayMs, undefined, init.signal ? { signal: init.signal } : {});
    }
  };
}

/** The address without its query, which may hold a signature. */
export function addressOf({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

/** Wait before repetition 0, 1, ...: doubled each time, and random in its upper half so that clients do not come together. */
export function backoff(repetition: number, backoffMs: number): number {
  return backoffMs * 2 ** repetition * (0.5 + Math.random() / 2);
}

function withToken(
  { endpoint, token }: Pick<Connection, "endpoint" | "token">,
  url: URL,
  init: RequestInit["headers"],
): Headers {
  const headers = new Headers(init);
  headers.delete("authorization");
  if (token !== undefined && url.origin === new URL(endpoint).origin) headers.set("authorization", `Bearer ${token}`);
  return headers;
}

async function attempt(
  url: URL,
  init: RequestInit,
  patienceMs: number,
  body: "whole" | "stream",
): Promise<RequestOutcome> {
  const late = new AbortController();
  const giveUp = (): void => late.abort(new Error(`no answer in ${patienceMs / 1000} s`));
  // The answer to an upload comes when all of it has been received, however long that takes.
  let timer = hasBody(init) ? undefined : setTimeout(giveUp, patienceMs);
  try {
    const signal = init.signal ? AbortSignal.any([init.signal, late.signal]) : late.signal;
    const response = await fetch(url, { ...init, signal });
    timer ??= setTimeout(giveUp, patienceMs);
    return body === "whole" ? await wholeAnswer(response, addressOf(url)) : response;
  } catch (error) {
    init.signal?.throwIfAborted();
    if (error instanceof UserError) throw error;
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    clearTimeout(timer);
  }
}

function hasBody({ body }: RequestInit): boolean {
  return body !== undefined && body !== null;
}

function isTransient(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}

function repetitionsAfter(outcome: RequestOutcome, { answered, failed }: Reach): number {
  if (answered || !isUnreachable(outcome)) return REPETITIONS;
  return failed ? 0 : REPETITIONS_UNREACHED;
}

function isUnreachable(outcome: RequestOutcome): boolean {
  if (outcome instanceof Response) return false;
  const root = rootOf(outcome);
  return "code" in root && UNREACHABLE.has(root.code);
}

function mayRepeat({ method = "GET", body }: RequestInit, outcome: RequestOutcome): boolean {
  if (isForbiddenPort(outcome)) return false;
  if (body instanceof ReadableStream) return false;
  if (outcome instanceof Response && outcome.status === 429) return true;
  return ["GET", "HEAD", "PUT"].includes(method.toUpperCase());
}

/** Ports of other services, such as 9 and 25, are asked by no fetch, however often. */
function isForbiddenPort(outcome: RequestOutcome): boolean {
  return outcome instanceof Error && rootOf(outcome).message === "bad port";
}

function delayBefore(repetition: number, outcome: RequestOutcome, backoffMs: number): number {
  const asked = outcome instanceof Response ? readRetryAfter(outcome) : undefined;
  return Math.max(asked ?? 0, backoff(repetition, backoffMs));
}

/**
 * Milliseconds to wait, from a number of seconds or a date. The Hub itself tells who asked too often when its window for
 * requests ends instead, as in `RateLimit: "api";r=0;t=55`.
 */
function readRetryAfter({ status, headers }: Response): number | undefined {
  const windowEnd = status === 429 ? /;\s*t=(\d+)/.exec(headers.get("ratelimit") ?? "")?.[1] : undefined;
  const text = headers.get("retry-after") ?? windowEnd;
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? ms : undefined;
}

function failure(url: URL, outcome: RequestOutcome, tries: number): NoAnswerError {
  const times = tries === 1 ? "" : ` after ${tries} tries`;
  if (!(outcome instanceof Response))
    return new NoAnswerError(
      `${addressOf(url)}: ${reasonOf(rootOf(outcome))}${times}; check the network and HF_ENDPOINT, ` +
        "or set HF_HUB_OFFLINE=1 to use what is in the cache",
      { cause: outcome },
    );
  const retryAfter = readRetryAfter(outcome);
  const when = retryAfter === undefined ? "later" : `in ${Math.ceil(retryAfter / 1000)} s, as it asks`;
  const advice = outcome.status === 429 ? "; a token in HF_TOKEN allows more requests" : "";
  return new NoAnswerError(`${addressOf(url)} answered ${outcome.status}${times}; try again ${when}${advice}`);
}

/** The innermost cause: fetch's own errors all say "fetch failed". */
function rootOf(error: Error): Error {
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0];
  return cause instanceof Error ? rootOf(cause) : error;
}
