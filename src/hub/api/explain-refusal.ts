import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { UserError } from "../../errors.ts";
import type { Hub } from "./hub.ts";
import type { HubReference } from "./reference.ts";
import type { RepositoryType } from "./snapshot.ts";
import { addressOf } from "./retrying-fetch.ts";

/** What a request was about. */
export interface Subject {
  readonly type: RepositoryType;
  readonly reference: HubReference;
}

/** A fetch of the hub, with every refusal of a request about the subject turned into a UserError that says what to do. */
export function fetchAbout(
  hub: Hub,
  subject: Subject,
  signal?: AbortSignal,
  fetch: typeof globalThis.fetch = hub.fetch,
): typeof globalThis.fetch {
  return async (input, init = {}) => {
    const response = await fetch(input, signal ? { ...init, signal } : init);
    if (response.ok) return response;
    throw await explainRefusal(hub, subject, response);
  };
}

/** The page of a repository, for people. */
export function pageOf({ endpoint }: Hub, { type, reference: { name } }: Subject): string {
  return `${endpoint}/${type === "dataset" ? "datasets/" : ""}${name}`;
}

async function explainRefusal(hub: Hub, subject: Subject, response: Response): Promise<UserError> {
  const { type, reference } = subject;
  const page = pageOf(hub, subject);
  const what = `${type} ${reference.name}`;
  const said = await readMessage(hub, response);
  switch (response.headers.get("x-error-code")) {
    case "GatedRepo":
      return new UserError(`${what} is gated: ${howToEnter(hub, page)}${said}`);
    case "RevisionNotFound":
      return new UserError(`${what} has no revision ${reference.revision}; see those it has at ${page}/tree/main`);
    case "EntryNotFound":
      return new UserError(
        `${addressOf(new URL(response.url))}: no such file; see those there are at ${page}/tree/main`,
      );
    case "RepoNotFound":
      return explainAbsence(hub, subject);
    default:
  }
  if (response.status === 401 || response.status === 404) return explainAbsence(hub, subject);
  if (response.status === 403 && /disabled/i.test(said))
    return new UserError(`${what} was disabled by the Hub; see ${page}`);
  return new UserError(`${addressOf(new URL(response.url))} answered ${response.status}${said}; see ${page}`);
}

function howToEnter({ token, tokenSource, endpoint }: Hub, page: string): string {
  return token === undefined
    ? `accept its conditions at ${page} and set HF_TOKEN to a token of the same account, from ${endpoint}/settings/tokens`
    : `the account of the token in ${tokenSource} has no access yet; accept its conditions at ${page}`;
}

/** Who asks without a token gets the same answer for a repository that does not exist and for one that is private. */
async function explainAbsence(hub: Hub, subject: Subject): Promise<UserError> {
  const { type, reference } = subject;
  const { endpoint, token, tokenSource } = hub;
  if (token !== undefined && (await refusesToken(hub)))
    return new UserError(
      `the Hub refuses the token in ${tokenSource}; replace it by a valid one from ${endpoint}/settings/tokens or remove it`,
    );
  const remedy =
    token === undefined ? "set HF_TOKEN to a token that can read it" : `the token in ${tokenSource} cannot read it`;
  return new UserError(
    `${pageOf(hub, subject)}: no such ${type}, or it is private; check the spelling of ${reference.name}, or, if it is private, ${remedy}`,
  );
}

async function refusesToken({ endpoint, fetch }: Hub): Promise<boolean> {
  const response = await fetch(`${endpoint}/api/whoami-v2`);
  await response.body?.cancel();
  return response.status === 401;
}

/** What the server says about a refusal, as ` ("...")`; never with the token in it. */
async function readMessage({ token }: Hub, response: Response): Promise<string> {
  const header = response.headers.get("x-error-message");
  await response.body?.cancel();
  if (header === null) return "";
  return ` (${show(token === undefined ? header : header.replaceAll(token, "…"))})`;
}
