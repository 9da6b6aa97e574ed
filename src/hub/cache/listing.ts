import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../../files/atomic-file.ts";
import { cannotWrite } from "../../files/cannot-write.ts";
import { readJsonObject } from "../../files/json-object.ts";
import { refPath, repositoryFolder } from "./cache.ts";
import { filePath, gated, lastCommit, sha1, sha256, wholeNumber } from "../api/fields.ts";
import type { Hub } from "../api/hub.ts";
import { isPinned } from "../api/reference.ts";
import type { HubRepository, Snapshot } from "../api/snapshot.ts";

/** Of 100,000 files with their commits. */
const MAX_BYTES = 2 ** 26;

type Listing = Omit<HubRepository, "requested">;

const listingSchema: z.ZodType<Listing> = z.object({
  source: z.literal("hub"),
  type: z.literal(["model", "dataset"]),
  name: z.string(),
  commit: sha1,
  private: z.boolean(),
  gated,
  disabled: z.boolean(),
  createdAt: z.string().optional(),
  licence: z.string().optional(),
  tags: z.array(z.string()),
  parameters: wholeNumber.optional(),
  files: z.array(
    z.object({
      path: filePath,
      bytes: wholeNumber,
      blob: sha1,
      sha256: sha256.optional(),
      lastCommit: lastCommit.optional(),
    }),
  ),
});

type Key = Pick<Snapshot, "type" | "name" | "commit">;

/** What the Hub said about a commit when its files were fetched; a commit's files never change. */
export async function readListing(hub: Hub, key: Key, withCommits: boolean): Promise<Listing | undefined> {
  let listing: Listing | undefined;
  try {
    listing = listingSchema.safeParse(await readJsonObject(listingPath(hub, key), MAX_BYTES)).data;
  } catch {
    return undefined; // absent or damaged: the Hub is asked again
  }
  if (listing?.name !== key.name || listing.type !== key.type || listing.commit !== key.commit) return undefined;
  return withCommits && listing.files.some((file) => file.lastCommit === undefined) ? undefined : listing;
}

/** Keeps for later, and for times without a network, what the Hub said: the files of the commit and which commit a branch is at. */
export async function rememberListing(hub: Hub, repository: HubRepository): Promise<void> {
  const { requested, ...listing } = repository;
  if ((await readListing(hub, repository, hasCommits(repository))) === undefined)
    await writeFile(listingPath(hub, repository), JSON.stringify(listing));
  if (!isPinned(requested)) await writeFile(refPath(hub, repository, requested.revision), repository.commit);
}

function hasCommits({ files }: HubRepository): boolean {
  return files.every((file) => file.lastCommit !== undefined);
}

function listingPath(hub: Hub, key: Key): string {
  return join(repositoryFolder(hub, key), "evomerge", `${key.commit}.json`);
}

async function writeFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true }).catch((cause: unknown) => {
    throw cannotWrite(path, cause);
  });
  await writeFileAtomic(path, text);
}
