import { createHash } from "node:crypto";
import { json, Refusal, type Answer } from "./answer.ts";
import { commitAt, type HubRequest, type Place, type Registry } from "./registry.ts";
import { historyOf, lastChange, type Commit } from "./repository.ts";

/** The entries of a folder, with pages that a Link header chains as the Hub's does. */
export async function treePage(registry: Registry, { url }: HubRequest, place: Place): Promise<Answer> {
  const commit = commitAt(place);
  const folder = place.path;
  const options = { recursive: isSet(url, "recursive"), expand: isSet(url, "expand") };
  const paths = pathsIn(commit, folder, options.recursive);
  if (paths.length === 0 && folder !== "") throw new Refusal(404, `${folder} does not exist`, "EntryNotFound");
  const start = Number(url.searchParams.get("cursor") ?? 0);
  const end = start + registry.pageSize;
  const entries = await Promise.all(paths.slice(start, end).map((path) => entryOf(commit, path, options.expand)));
  return json(entries, { headers: end < paths.length ? linkTo(registry, url, { cursor: end }) : {} });
}

/** The entries of the paths that the request's body names; those that do not exist are left out. */
export async function pathsInfo(_: Registry, { body }: HubRequest, place: Place): Promise<Answer> {
  const commit = commitAt(place);
  const { paths, expand = false } = JSON.parse(body.toString()) as { paths: string[]; expand?: boolean };
  const known = paths.filter((path) => commit.files.has(path) || pathsIn(commit, path, false).length > 0);
  return json(await Promise.all(known.map((path) => entryOf(commit, path, expand))));
}

/** A page of the commits that lead to a revision, newest first. */
export function commitsPage(registry: Registry, { url }: HubRequest, place: Place): Answer {
  const history = historyOf(commitAt(place));
  const page = Number(url.searchParams.get("p") ?? 0);
  const limit = Math.min(Number(url.searchParams.get("limit") ?? 50), registry.pageSize);
  const end = (page + 1) * limit;
  const commits = history.slice(page * limit, end).map(({ id, title, date }) => ({
    id,
    title,
    message: "",
    date,
    authors: [{ user: "author", avatar: `${registry.url}/avatar` }],
  }));
  const next = end < history.length ? linkTo(registry, url, { p: page + 1 }) : {};
  return json(commits, { headers: { "X-Total-Count": String(history.length), ...next } });
}

/** Files and folders in a folder, sorted; a path that would leave the repository lies in the root folder, as it is. */
function pathsIn({ files }: Commit, folder: string, recursive: boolean): string[] {
  const prefix = folder === "" ? "" : `${folder}/`;
  const below = [...files.keys()].filter((path) => path.startsWith(prefix));
  const found = new Set<string>();
  for (const path of below) {
    const parts = path.slice(prefix.length).split("/");
    const isHostile = parts.some((part) => part === "" || part === "." || part === "..");
    const folders = isHostile ? [] : parts.slice(1).map((_, depth) => prefix + parts.slice(0, depth + 1).join("/"));
    for (const each of recursive ? [...folders, path] : [folders[0] ?? path]) found.add(each);
  }
  return [...found].toSorted();
}

async function entryOf(commit: Commit, path: string, expand: boolean): Promise<Record<string, unknown>> {
  const file = commit.files.get(path);
  if (!file) return { type: "directory", oid: createHash("sha1").update(path).digest("hex"), size: 0, path };
  const { blob, lfs } = await file.digests();
  const { id, title, date } = lastChange(commit, path);
  return {
    type: "file",
    oid: blob,
    size: file.bytes,
    path,
    ...(lfs && { lfs: { oid: lfs.sha256, size: file.bytes, pointerSize: lfs.pointer.length } }),
    ...(expand && {
      lastCommit: { id, title, date },
      securityFileStatus: { status: "safe", avScan: null, pickleImportScan: null },
    }),
  };
}

function linkTo(registry: Registry, url: URL, query: Readonly<Record<string, number>>): Record<string, string> {
  const next = new URL(`${url.pathname}${url.search}`, registry.url);
  for (const [name, value] of Object.entries(query)) next.searchParams.set(name, String(value));
  return { Link: `<${next.href}>; rel="next"` };
}

function isSet(url: URL, name: string): boolean {
  return ["true", "True", "1"].includes(url.searchParams.get(name) ?? "");
}
