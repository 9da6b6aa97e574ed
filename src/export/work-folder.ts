import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rmdir, unlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isCompanion } from "../checkpoint/companion-files.ts";
import { MANIFEST } from "../checkpoint/manifest.ts";
import { finishedName } from "../files/staged-name.ts";
import { ProcessLock } from "../lock/process-lock.ts";
import { contentsOf, removeExport } from "./earlier-export.ts";
import { cannotWrite, type TargetFolder } from "./target-folder.ts";

/** The texts that an export writes beside what it copies. */
export const DESCRIPTIONS = ["README.md", "mergekit_config.yml", "recipe.json"] as const;

/** The lock of whoever works in the folder. */
const LOCK = "lock";
/** Tells that an export made the folder. */
const MARK = "README";
const MARK_TEXT =
  "evomerge export writes a model here. Where none is at work the next one to the same place removes it.\n";
const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/.source;

/**
 * A hidden folder beside the target that nobody else has: `new` is the model that is being written, `earlier` the export
 * whose place it takes, and a lock tells whether its owner is alive. Nothing in it is removed but files such as exports
 * write, and an earlier export only as long as it is unchanged.
 */
export class WorkFolder {
  readonly staged: string;
  readonly earlier: string;
  readonly #path: string;
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
  static async leftBeside({ path, prefix }: TargetFolder): Promise<readonly WorkFolder[]> {
    const isNamedSo = new RegExp(`^-${uuid}$`);
    const entries = await readdir(dirname(path), { withFileTypes: true });
    const left: WorkFolder[] = [];
    for (const { name } of entries.filter((entry) => entry.isDirectory())) {
      if (!name.startsWith(prefix) || !isNamedSo.test(name.slice(prefix.length))) continue;
      const folder = join(dirname(path), name);
      const work = (await isOfExport(folder)) ? takeOver(folder) : undefined;
      if (work) left.push(work);
    }
    return left;
  }

  constructor(path: string, lock: ProcessLock) {
    this.staged = join(path, "new");
    this.earlier = join(path, "earlier");
    this.#path = path;
    this.#lock = lock;
  }

  /** Gives an export that was set aside its place again; where there is something in that place both stay. */
  async restore({ path }: TargetFolder): Promise<void> {
    await rename(this.earlier, path).catch(() => {});
  }

  /**
   * Removes what is ours. An export that was set aside and changed gets a name under which a person finds it, which is
   * returned.
   */
  async remove({ path }: TargetFolder): Promise<string | undefined> {
    using _ = this.#lock;
    const kept = await this.#removeEarlier(`${path}.kept-${randomUUID()}`);
    await removeFiles(this.staged, isStaged);
    this.release();
    await removeFiles(this.#path, (name) => name === MARK || isOfLock(name));
    return kept;
  }

  /** Leaves the folder to the next export. */
  release(): void {
    this.#lock[Symbol.dispose]();
  }

  async #removeEarlier(otherwise: string): Promise<string | undefined> {
    if (!(await readdir(this.#path)).includes(basename(this.earlier))) return undefined;
    const contents = await contentsOf(this.earlier);
    if ("files" in contents) await removeExport(this.earlier, contents.files);
    else await rename(this.earlier, otherwise);
    return "files" in contents ? undefined : otherwise;
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
    DESCRIPTIONS.some((description) => description === finished) ||
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
