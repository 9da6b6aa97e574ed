import { UserError } from "../errors.ts";
import { openHub } from "../hub/api/hub.ts";
import { formatReference, type HubReference } from "../hub/api/reference.ts";
import { fetchFiles } from "../hub/transfer/fetch-files.ts";
import { checkDisk, planFetch } from "../hub/transfer/plan-fetch.ts";
import { compareParents } from "./compare-parents.ts";
import type { BroughtModel, ModelFolderOptions } from "./model-folder.ts";
import { openModelRepository } from "./open-model-repository.ts";
import { filesOnHub } from "./parent-files.ts";
import { firstFault } from "./parent-finding.ts";

/** Brings a model of the Hub to this machine. A UserError where it cannot be had, or the disk has no room for it. */
export async function fetchModel(
  reference: HubReference,
  { hub: given, toScore = false, ...options }: ModelFolderOptions,
): Promise<BroughtModel> {
  const hub = given ?? (await openHub());
  const repository = await openModelRepository(hub, reference, options);
  const parent = await filesOnHub(hub, repository, options);
  const fault = toScore ? firstFault((await compareParents([parent], options)).findings) : undefined;
  if (fault !== undefined) throw new UserError(fault);
  const { files } = parent;
  checkDisk(await planFetch(hub, [{ repository, files }]));
  const source = formatReference({ name: repository.name, revision: repository.commit });
  return { folder: await fetchFiles(hub, repository, files, options), source };
}
