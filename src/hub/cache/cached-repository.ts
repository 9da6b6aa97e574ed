import { readdir, readlink, stat } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import {
  ADAPTER_FILE,
  ADAPTER_WEIGHTS,
  findIndex,
  findWeightFiles,
  SINGLE_FILE,
} from "../../checkpoint/weight-files.ts";
import { readShardIndex } from "../../checkpoint/shard-index.ts";
import { UserError } from "../../errors.ts";
import { readTextWithin } from "../../files/read-file.ts";
import { refPath, snapshotFolder } from "./cache.ts";
import type { Hub } from "../api/hub.ts";
import { readListing } from "./listing.ts";
import { formatReference, type HubReference, isPinned } from "../api/reference.ts";
import type { Repository, RepositoryFile, RepositoryType } from "../api/snapshot.ts";

/**
 * The repository as far as the cache knows it. Undefined when the Hub must be asked: for what was not fetched by us, unless
 * it is a model in full, and for commits of files that were not asked for before. Offline that is a UserError instead.
 */
export async function openCached(
  hub: Hub,
  type: RepositoryType,
  reference: HubReference,
  withCommits: boolean,
): Promise<Repository | undefined> {
  const { name } = reference;
  const commit = await findCommit(hub, type, reference);
  if (commit === undefined) return orRefuse(hub, reference, "it");
  const key = { type, name, commit };
  const listing = await readListing(hub, key, withCommits && !hub.offline);
  if (listing !== undefined) return { ...listing, requested: reference };
  if (!hub.offline && (withCommits || type === "dataset")) return undefined;
  const folder = snapshotFolder(hub, key);
  const files = await filesOf(folder);
  const missing = await findMissing(type, folder, new Set(files.map(({ path }) => path)));
  if (missing !== undefined) return orRefuse(hub, reference, missing);
  return { source: "cache", ...key, requested: reference, files };
}

function orRefuse({ offline, cache }: Hub, reference: HubReference, missing: string): undefined {
  if (!offline) return undefined;
  throw new UserError(
    `${formatReference(reference)}: ${missing} is not in ${cache}, and HF_HUB_OFFLINE is set; ` +
      "unset it, or run evomerge fetch where there is a network",
  );
}

async function findCommit(hub: Hub, type: RepositoryType, reference: HubReference): Promise<string | undefined> {
  if (isPinned(reference)) return reference.revision;
  try {
    const path = refPath(hub, { type, name: reference.name }, reference.revision);
    const commit = await readTextWithin(path, { what: "a commit", maxBytes: 1000 });
    return /^[0-9a-f]{40}$/.exec(commit.trim())?.[0];
  } catch {
    return undefined;
  }
}

async function filesOf(folder: string): Promise<RepositoryFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  const files = await Promise.all(paths.toSorted().map((path) => describe(folder, path)));
  return files.filter((file) => file !== undefined);
}

/** Undefined for a link to a blob that was deleted, or to a folder. */
async function describe(folder: string, path: string): Promise<RepositoryFile | undefined> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return undefined;
    const digest = await readlink(path).then(basename, () => "");
    return {
      path: relative(folder, path).replaceAll(sep, "/"),
      bytes: found.size,
      ...(/^[0-9a-f]{64}$/.test(digest) ? { sha256: digest } : {}),
      ...(/^[0-9a-f]{40}$/.test(digest) ? { blob: digest } : {}),
    };
  } catch {
    return undefined;
  }
}

/** The first file that a model cannot be without; of a dataset any file will do. */
async function findMissing(
  type: RepositoryType,
  folder: string,
  paths: ReadonlySet<string>,
): Promise<string | undefined> {
  if (paths.size === 0) return "it";
  if (type === "dataset") return undefined;
  if (paths.has(ADAPTER_FILE) && ADAPTER_WEIGHTS.some((file) => paths.has(file))) return undefined;
  // Python fetches a tokenizer only when one is asked for, so that weights may be there without it.
  const needed = ["config.json", ...(await weightsOf(folder, paths)), "tokenizer.json", "tokenizer_config.json"];
  const missing = needed.find((file) => !paths.has(file));
  return missing === undefined ? undefined : `its ${missing}`;
}

async function weightsOf(folder: string, paths: ReadonlySet<string>): Promise<readonly string[]> {
  const index = findIndex(paths);
  const weightMap = index === undefined ? undefined : await readShardIndex(join(folder, index));
  return findWeightFiles(paths, weightMap)?.files ?? [SINGLE_FILE];
}
