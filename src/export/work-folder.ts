import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rmdir, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isCompanion } from "../model-folder/companion-files.ts";
import { isDescription } from "../model-folder/description-files.ts";
import { MANIFEST } from "../model-folder/manifest.ts";
import { cannotWrite } from "../files/cannot-write.ts";
import { finishedName } from "../files/staged-name.ts";
import { ProcessLock } from "../lock/process-lock.ts";
import { removeExport } from "./earlier-export.ts";
import { isThere, type TargetFolder } from "./target-folder.ts";

/** The lock of whoever works in the folder. */
const LOCK = "lock";
/** Tells that an export made the folder. */
const MARK = "README";
const MARK_TEXT =
  "evomerge export writes a model here. Where none is at work the next one to the same place removes it.\n";
const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/.source;

/**
 * A hidden folder beside the target that nobody else has: `new` is the model that is being written, `earlier` what was at
 * the target before, and a lock tells whether its owner is alive. What anyone could have found by a name of his own, which is
 * `earlier`, is removed only where another export has its place and it is as an export wrote it, and never comes into `new`.
 */
export class WorkFolder {
  readonly staged: string;
  readonly earlier: string;
  readonly path: string;
  readonly #lock: ProcessLock;

  static async create(target: TargetFolder): Promise<WorkFolder> {
    const { path, shown, prefix } = target;
    const folder = join(dirname(path), `${prefix}-${randomUUID()}`);
    let work: WorkFolder | undefined;
    try {
      await mkdir(folder);
      work = takeOver(folder);
      if (!work) throw new Error(`${folder} is locked by another process`);
      await writeFile(join(folder, MARK), MARK_TEXT);
      await mkdir(work.staged);
      return work;
    } catch (cause) {
      await work?.remove(target).catch(() => {});
      throw cannotWrite(shown, cause);
    }
  }

  /** The work folders beside a target whose owners have died; they are this process's from now on. */
  static async leftBeside({ path, shown, prefix }: TargetFolder): Promise<readonly WorkFolder[]> {
    const isNamedSo = new RegExp(`^-${uuid}$`);
    const entries = await readdir(dirname(path), { withFileTypes: true }).catch((cause: unknown) => {
      throw cannotWrite(shown, cause);
    });
    const left: WorkFolder[] = [];
    for (const { name } of entries.filter((entry) => entry.isDirectory())) {
      if (!name.startsWith(prefix) || !isNamedSo.test(name.slice(prefix.length))) continue;
      const work = await takeOverLeft(join(dirname(path), name));
      if (work) left.push(work);
    }
    return left;
  }

  constructor(path: string, lock: ProcessLock) {
    this.staged = join(path, "new");
    this.earlier = join(path, "earlier");
    this.path = path;
    this.#lock = lock;
  }

  /** Takes away what is at the target, if anything is. */
  async setAside({ path }: TargetFolder): Promise<void> {
    if (await isThere(path)) await rename(path, this.earlier);
  }

  /** Gives the model the place of the target; it fails where there is anything but an empty folder. */
  async moveIn({ path }: TargetFolder): Promise<void> {
    await rename(this.staged, path);
  }

  /** Gives what was set aside its place again; where there is something in that place both stay. */
  async restore({ path, shown }: TargetFolder): Promise<void> {
    try {
      if ((await isThere(this.earlier)) && !(await isThere(path))) await rename(this.earlier, path);
    } catch (cause) {
      throw cannotWrite(shown, cause);
    }
  }

  /**
   * Sees to what was set aside: it gets its place again, or is removed where another export has that. What is neither gets
   * a name under which a person finds it; the sentence about it is returned.
   */
  async settleEarlier(target: TargetFolder): Promise<string | undefined> {
    await this.restore(target);
    if (!(await isThere(this.earlier))) return undefined;
    // As long as a finished model is here, it has not taken the place.
    const isReplaced = !(await isThere(join(this.staged, MANIFEST)));
    if (isReplaced && (await removeExport(this.earlier))) return undefined;
    const kept = await keep(this.earlier, target);
    return isReplaced
      ? `${kept} is an earlier export that was changed while another took its place`
      : `${kept} is what was at ${target.shown}, where there is something else now`;
  }

  /** Gives the model a name under which a person finds it, which is returned. */
  keepStaged(target: TargetFolder): Promise<string> {
    return keep(this.staged, target);
  }

  /** Removes what is ours; a sentence about what stays for a person is returned. */
  async remove(target: TargetFolder): Promise<string | undefined> {
    using _ = this.#lock;
    const notice = await this.settleEarlier(target);
    await removeFiles(this.staged, isStaged);
    this.release();
    await removeFiles(this.path, (name) => name === MARK || isOfLock(name));
    return notice;
  }

  /** Leaves the folder to the next export. */
  release(): void {
    this.#lock[Symbol.dispose]();
  }
}

async function keep(folder: string, { keptPrefix }: TargetFolder): Promise<string> {
  const kept = `${keptPrefix}-${randomUUID()}`;
  await rename(folder, kept).catch((cause: unknown) => {
    throw cannotWrite(kept, cause);
  });
  return kept;
}

/** A folder that a dead process left; undefined for any other, also for one that this user may not read or lock. */
async function takeOverLeft(folder: string): Promise<WorkFolder | undefined> {
  try {
    return (await isOfExport(folder)) ? takeOver(folder) : undefined;
  } catch {
    return undefined;
  }
}

/** The folder, unless another process is at work in it. */
function takeOver(folder: string): WorkFolder | undefined {
  const lock = ProcessLock.tryAcquire(folder, LOCK);
  return lock instanceof ProcessLock ? new WorkFolder(folder, lock) : undefined;
}

/** Whether an export has marked the folder, or was about to. */
async function isOfExport(folder: string): Promise<boolean> {
  const names = await readdir(folder);
  return names.includes(MARK) || names.every(isOfLock);
}

function isOfLock(name: string): boolean {
  return name.startsWith(`${LOCK}-`);
}

/** Whether a file is one that an export writes into a model's folder, finished or not. */
function isStaged(name: string): boolean {
  const finished = finishedName(name);
  return (
    isCompanion(finished) ||
    finished === MANIFEST ||
    isDescription(finished) ||
    /^model(-\d{5}-of-\d{5})?\.safetensors(\.index\.json)?$/.test(finished)
  );
}

/** Removes the files of a folder that are ours, and the folder unless there are others. */
async function removeFiles(folder: string, isOurs: (name: string) => boolean): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (entry.isFile() && isOurs(entry.name)) await unlink(join(folder, entry.name));
  }
  await rmdir(folder).catch(() => {});
}
