import { UserError } from "../../errors.ts";
import { bytesText } from "../../files/bytes-text.ts";
import { freeBytesAt } from "../../files/free-bytes.ts";
import { presentBytes } from "../cache/cache.ts";
import type { Hub } from "../api/hub.ts";
import type { Repository, RepositoryFile } from "../api/snapshot.ts";

/** What a fetch would transfer, and whether the disk has room for it. */
export interface FetchPlan {
  readonly repositories: readonly PlannedRepository[];
  readonly bytes: number;
  /** Of `bytes`, those that the cache has already; the part that an interrupted fetch left counts. */
  readonly presentBytes: number;
  readonly missingBytes: number;
  /** On the disk of the cache. */
  readonly freeBytes: number;
  /** Folder of the cache. */
  readonly cache: string;
}

/** The part of a plan that concerns one repository. */
export interface PlannedRepository {
  readonly name: string;
  readonly commit: string;
  readonly files: number;
  readonly bytes: number;
  readonly presentBytes: number;
}

/** Files of one repository that are to be in the cache. */
export interface WantedFiles {
  readonly repository: Repository;
  readonly files: readonly RepositoryFile[];
}

/** What fetching the files would take; reads the cache, and asks the Hub for nothing. */
export async function planFetch(hub: Hub, wanted: readonly WantedFiles[]): Promise<FetchPlan> {
  const repositories = await Promise.all(wanted.map((one) => planRepository(hub, one)));
  const bytes = sum(repositories.map(({ bytes }) => bytes));
  const present = sum(repositories.map(({ presentBytes }) => presentBytes));
  return {
    repositories,
    bytes,
    presentBytes: present,
    missingBytes: bytes - present,
    freeBytes: await freeBytesAt(hub.cache),
    cache: hub.cache,
  };
}

/** A UserError when what the plan would fetch does not fit on the disk. */
export function checkDisk({ missingBytes, freeBytes, cache }: FetchPlan): void {
  if (missingBytes > freeBytes)
    throw new UserError(
      `${bytesText(missingBytes)} are to be fetched to ${cache}, where ${bytesText(freeBytes)} are free; ` +
        "make room, or set HF_HUB_CACHE to a folder on a larger disk",
    );
}

async function planRepository(hub: Hub, { repository, files }: WantedFiles): Promise<PlannedRepository> {
  const present = await Promise.all(files.map((file) => presentBytes(hub, repository, file)));
  return {
    name: repository.name,
    commit: repository.commit,
    files: files.length,
    bytes: sum(files.map(({ bytes }) => bytes)),
    presentBytes: sum(present),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
