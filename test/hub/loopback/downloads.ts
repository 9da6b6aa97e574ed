import { Refusal, ranged, redirect, type Answer } from "./answer.ts";
import { contentOf, type StoredFile } from "./content.ts";
import { commitAt, requireContent, type HubRequest, type Parameters, type Place, type Registry } from "./registry.ts";
import type { Commit } from "./repository.ts";

/** A file's content, or for an LFS file the redirect to where its content lies. */
export async function resolved(registry: Registry, request: HubRequest, place: Place): Promise<Answer> {
  const { commit, file } = fileAt(registry, request, place);
  const { range } = request.headers;
  const { blob, lfs } = await file.digests();
  const about = { "X-Repo-Commit": commit.id, "Content-Type": "application/octet-stream" };
  if (!lfs) return ranged(file.content, range, { ...about, ETag: `"${blob}"` });
  registry.objects.set(lfs.sha256, file.content);
  const linked = { "X-Linked-Size": String(file.bytes), "X-Linked-Etag": `"${lfs.sha256}"`, "Accept-Ranges": "bytes" };
  return redirect(302, `${registry.storageUrl}/lfs/${lfs.sha256}`, { ...about, ...linked });
}

/** What git holds: the file, or for an LFS file its pointer. */
export async function raw(registry: Registry, request: HubRequest, place: Place): Promise<Answer> {
  const { commit, file } = fileAt(registry, request, place);
  const { blob, lfs } = await file.digests();
  const content = lfs ? contentOf(lfs.pointer) : file.content;
  return ranged(content, request.headers.range, {
    "X-Repo-Commit": commit.id,
    ETag: `"${blob}"`,
    "Content-Type": "text/plain",
  });
}

/** The content of an LFS file, open to whoever has its address as a signed address of the Hub's storage is. */
export function object({ objects }: Registry, { headers }: HubRequest, { sha256 = "" }: Parameters): Answer {
  const content = objects.get(sha256);
  if (!content) throw new Refusal(404, `No object ${sha256}`);
  return ranged(content, headers.range, { ETag: `"${sha256}"`, "Content-Type": "application/octet-stream" });
}

function fileAt(registry: Registry, request: HubRequest, place: Place): { commit: Commit; file: StoredFile } {
  requireContent(registry, request, place.repository);
  const commit = commitAt(place);
  const file = commit.files.get(place.path);
  if (!file) throw new Refusal(404, "Entry not found", "EntryNotFound");
  return { commit, file };
}
