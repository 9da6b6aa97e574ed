import { askForDescription, askForFiles } from "../api/ask-hub.ts";
import { openCached } from "./cached-repository.ts";
import type { Hub } from "../api/hub.ts";
import { readListing } from "./listing.ts";
import { type HubReference, isPinned } from "../api/reference.ts";
import type { Repository, RepositoryType } from "../api/snapshot.ts";

export type { CachedRepository, HubRepository, Repository, RepositoryFile, RepositoryType } from "../api/snapshot.ts";

/** What to ask for besides the files, and when to stop. */
export interface OpenRepositoryOptions {
  /** Whether each file is to come with its last commit, which takes more requests; offline it may be unknown. */
  readonly withCommits?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A repository at the commit that its revision names now, with all its files. A commit that is in the cache in full, and
 * anything when offline, is answered from there without a request. A UserError explains what is missing, private, gated or
 * named wrongly; a repository that was renamed is none: `name` is the new name.
 */
export async function openRepository(
  hub: Hub,
  type: RepositoryType,
  reference: HubReference,
  { withCommits = false, signal }: OpenRepositoryOptions = {},
): Promise<Repository> {
  signal?.throwIfAborted();
  const cached = hub.offline || isPinned(reference) ? await openCached(hub, type, reference, withCommits) : undefined;
  if (cached !== undefined) return cached;
  const description = await askForDescription(hub, { type, reference }, signal);
  const known = await readListing(hub, description, withCommits);
  return { ...description, files: known?.files ?? (await askForFiles(hub, description, withCommits, signal)) };
}
