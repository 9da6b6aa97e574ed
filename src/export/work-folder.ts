import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rmdir, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isCompanion } from "../checkpoint/companion-files.ts";
import { MANIFEST } from "../checkpoint/manifest.ts";
import { finishedName } from "../files/staged-name.ts";
import { ProcessLock } from "../lock/process-lock.ts";
import { contentsOf, removeExport } from "./earlier-export.ts";
import { cannotWrite, type TargetFolder } from "./target-folder.ts";

/** The texts that an export writes beside what it copies. */
export const DESCRIPTIONS = ["README.md", "mergekit_config.yml", "recipe.json"] as const;

const OWNER = "owner";
const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/.source;

/**
 * A hidden folder beside the target that nobody else has: `new` is the model that is being written, `earlier` the export
 * whose place it takes, and a claim tells whether its owner is alive. Nothing in it is removed but files such as exports
 * write, and of an earlier export only those that are unchanged.
 */
export class WorkFolder {
  readonly staged: string;
  readonly earlier: string;
  readonly #path: string;
  readonly #owner: ProcessLock;

  static async create({ path, shown, prefix }: TargetFolder): Promise<WorkFolder> {
    const folder = join(dirname(path), `${prefix}-${randomUUID()}`);
    try {
      await mkdir(folder);
      const work = claim(folder);
      if (!work) throw new Error(`${folder} is claimed by another process`);
      await mkdir(work.staged);
      return work;
    } catch (cause) {
      throw cannotWrite(shown, cause);
    }
  }

  /** The work folders beside a target whose owners have died; they are this process's from now on. */
  static async leftBeside({ path, prefix }: TargetFolder): Promise<readonly WorkFolder[]> {
    const isOurs = new RegExp(`^-${uuid}$`);
    const entries = await readdir(dirname(path), { withFileTypes: true });
    const left: WorkFolder[] = [];
    for (const { name } of entries.filter((entry) => entry.isDirectory())) {
      if (!name.startsWith(prefix) || !isOurs.test(name.slice(prefix.length))) continue;
      const folder = join(dirname(path), name);
      const isClaimed = (await readdir(folder)).some((file) => file.startsWith(`${OWNER}-`));
      const work = isClaimed ? claim(folder) : undefined;
      if (work) left.push(work);
      // Without a claim it is ours only if it is empty.
      else if (!isClaimed) await rmdir(folder).catch(() => {});
    }
    return left;
  }

  constructor(path: string, owner: ProcessLock) {
    this.staged = join(path, "new");
    this.earlier = join(path, "earlier");
    this.#path = path;
    this.#owner = owner;
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
    const kept = await this.#removeEarlier(`${path}.kept-${randomUUID()}`);
    await removeFiles(this.staged, isStaged);
    this.#owner[Symbol.dispose]();
    await removeFiles(this.#path, (name) => name.startsWith(`${OWNER}-`));
    return kept;
  }

  async #removeEarlier(otherwise: string): Promise<string | undefined> {
    if (!(await readdir(this.#path)).includes(basename(this.earlier))) return undefined;
    const contents = await contentsOf(this.earlier);
    if ("files" in contents) await removeExport(this.earlier, contents.files);
    else await rename(this.earlier, otherwise);
    return "files" in contents ? undefined : otherwise;
  }
}

function claim(folder: string): WorkFolder | undefined {
  const owner = ProcessLock.tryAcquire(folder, OWNER);
  return owner instanceof ProcessLock ? new WorkFolder(folder, owner) : undefined;
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
