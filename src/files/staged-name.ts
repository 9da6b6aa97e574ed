import { createHash, randomUUID } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { currentPlace, currentProcess, type Life, lifeOf } from "./process-identity.ts";

/** `<file>.<place>-<pid>-<started>.<uuid>.tmp`: a file that is being written, and by which process. */
const staged = /^(.+)\.([0-9a-f]{12})-(\d+)-(\d*)\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/s;

/** A name beside `path` that nobody else has, for writing what will be renamed to it. */
export function stagedName(path: string): string {
  const { pid, started = "" } = currentProcess();
  const name = basename(path);
  const beginning = path.slice(0, path.length - name.length) + cut(name);
  return `${beginning}.${placeHere()}-${pid}-${started}.${randomUUID()}.tmp`;
}

/** The beginning of a name, so that what is added to it makes none that is longer than file systems allow. */
function cut(name: string): string {
  let stem = name;
  while (Buffer.byteLength(stem) > 150) stem = Array.from(stem).slice(0, -1).join("");
  return stem;
}

/** The name that a file will have; that of a staged file is the one it is written for, or the beginning of a long one. */
export function finishedName(name: string): string {
  return staged.exec(name)?.[1] ?? name;
}

/** Of which files removeAbandoned takes what is half written, by the names that they were to have, and from whom. */
export interface Abandoned {
  readonly isMeant?: (finished: string) => boolean;
  readonly isGivenUp?: (writer: Life) => boolean;
}

/** Removes from a folder what processes were writing, those that have provably ended unless told otherwise; what cannot be removed stays. */
export function removeAbandoned(
  folder: string,
  { isMeant = () => true, isGivenUp = (writer) => writer === "ended" }: Abandoned = {},
): void {
  const entries = orNothing(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  for (const entry of entries) {
    const [, finished, ...writer] = staged.exec(entry.name) ?? [];
    if (finished === undefined || !entry.isFile() || !isMeant(finished) || !isGivenUp(lifeOfWriter(writer))) continue;
    orNothing(() => rmSync(join(folder, entry.name), { force: true }));
  }
}

function lifeOfWriter([place, pid, started = ""]: readonly string[]): Life {
  if (place !== placeHere()) return "unknown";
  return lifeOf({ ...currentPlace(), pid: Number(pid), ...(started === "" ? {} : { started }) });
}

function placeHere(): string {
  const { host, machine, boot, namespace, clock } = currentPlace();
  return createHash("sha256")
    .update(JSON.stringify([host, machine, boot, namespace, clock]))
    .digest("hex")
    .slice(0, 12);
}

function orNothing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
