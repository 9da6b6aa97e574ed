import { UserError } from "../errors.ts";
import { askForDescription } from "../hub/api/ask-hub.ts";
import type { Hub } from "../hub/api/hub.ts";
import type { HubReference } from "../hub/api/reference.ts";
import type { Repository } from "../hub/cache/repository.ts";
import { NoAnswerError } from "../hub/api/retrying-fetch.ts";
import type { Problem } from "./facts.ts";

/** What came of an attempt: what was found, or what went wrong. */
export type Attempt<T> = { readonly found: T } | { readonly problem: Problem };

/** Tries something; an expected failure becomes a problem, any other error is thrown. */
export async function attempt<T>(
  action: () => Promise<T>,
  verdict: (error: UserError) => Problem["verdict"] = () => "fail",
): Promise<Attempt<T>> {
  try {
    return { found: await action() };
  } catch (error) {
    if (error instanceof UserError) return { problem: { verdict: verdict(error), text: error.message } };
    throw error;
  }
}

/** Tries a question to the Hub: a refusal is certain, but without a network or an answer nothing is known. */
export function ask<T>({ offline }: Hub, question: () => Promise<T>): Promise<Attempt<T>> {
  return attempt(question, (error) => (offline || error instanceof NoAnswerError ? "unknown" : "fail"));
}

/**
 * The files of a repository with what the Hub says of it today: what is remembered of a commit may be old, and another
 * branch than the named one has no card.
 */
export async function describedNow(
  hub: Hub,
  repository: Repository,
  reference: HubReference,
  signal: AbortSignal | undefined,
): Promise<Repository> {
  if (hub.offline) return repository;
  const { commit, files, type } = repository;
  return { ...(await askForDescription(hub, { type, reference }, signal)), commit, files };
}
