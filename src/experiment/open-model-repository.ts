import { UserError } from "../errors.ts";
import type { Hub } from "../hub/api/hub.ts";
import type { HubReference } from "../hub/api/reference.ts";
import { NoAnswerError } from "../hub/api/retrying-fetch.ts";
import { openRepository, type OpenRepositoryOptions, type Repository } from "../hub/cache/repository.ts";

/**
 * A model of the Hub. A path that is not there reads like a name, so a UserError says that there is no folder either; where
 * nobody answers it says whether the cache has a copy.
 */
export async function openModelRepository(
  hub: Hub,
  reference: HubReference,
  options: OpenRepositoryOptions = {},
): Promise<Repository> {
  try {
    return await openRepository(hub, "model", reference, options);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { name, revision } = reference;
    const isPathLike = revision === "main";
    if (error instanceof NoAnswerError) {
      const folder = isPathLike ? "there is no such folder, and " : "";
      const copy = (await isCached(hub, reference)) ? "a copy is" : "no copy is";
      const text = `${name}: ${folder}${copy} in ${hub.cache}; ${error.message}`;
      throw new NoAnswerError(text, { cause: error });
    }
    if (!isPathLike) throw error;
    throw new UserError(`${error.message}; nor is there a folder ${name}`, { cause: error });
  }
}

async function isCached(hub: Hub, reference: HubReference): Promise<boolean> {
  return openRepository({ ...hub, offline: true }, "model", reference).then(
    () => true,
    () => false,
  );
}
