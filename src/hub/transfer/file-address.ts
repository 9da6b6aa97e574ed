import type { Subject } from "../api/explain-refusal.ts";
import type { Hub } from "../api/hub.ts";
import type { RepositoryFile, Snapshot } from "../api/snapshot.ts";

/** Where the Hub gives the content of a file, whole or in ranges. */
export function addressOfFile(
  { endpoint }: Pick<Hub, "endpoint">,
  { type, name, commit }: Snapshot,
  { path }: RepositoryFile,
): string {
  const parts = path.split("/").map(encodeURIComponent).join("/");
  return `${endpoint}/${type === "dataset" ? "datasets/" : ""}${name}/resolve/${commit}/${parts}`;
}

/** What a request for a file of a snapshot is about. */
export function subjectOf({ type, name, commit }: Snapshot): Subject {
  return { type, reference: { name, revision: commit } };
}

/** Whether an answer holds the bytes from `start` of a file of `bytes` bytes. */
export function givesRange({ headers, status }: Response, start: number, bytes: number): boolean {
  const { from, total } =
    /^bytes (?<from>\d+)-\d+\/(?<total>\d+|\*)$/.exec(headers.get("content-range") ?? "")?.groups ?? {};
  return status === 206 && Number(from) === start && (total === "*" || Number(total) === bytes);
}
