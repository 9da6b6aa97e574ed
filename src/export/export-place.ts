import { rename } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "../files/atomic-file.ts";
import type { ProcessLock } from "../lock/process-lock.ts";
import { checkReplaceable, removeExport } from "./earlier-export.ts";
import { cannotWrite, lockTarget, openTarget, type TargetFolder } from "./target-folder.ts";
import { WorkFolder } from "./work-folder.ts";

export interface PlaceOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told what a person should know. */
  readonly onNotice?: ((text: string) => void) | undefined;
}

/**
 * The place of an export, for one process at a time: an empty folder to write the model into, which then takes the place
 * of the target at once. Whoever is killed meanwhile leaves the earlier export whole, in its place or beside it; the next
 * export to the same target brings it back.
 */
export class ExportPlace implements AsyncDisposable {
  readonly #target: TargetFolder;
  readonly #lock: ProcessLock;
  readonly #work: WorkFolder;
  readonly #options: PlaceOptions;

  /** A UserError when another export has the target, and for a target that cannot be replaced without a loss. */
  static async take(to: string, options: PlaceOptions = {}): Promise<ExportPlace> {
    const { signal } = options;
    const target = await openTarget(to);
    const lock = await lockTarget(target, signal);
    let left: readonly WorkFolder[] = [];
    try {
      left = await WorkFolder.leftBeside(target);
      for (const work of left) await work.restore(target);
      await checkReplaceable(target.path, target.shown, signal);
      for (const work of left) await tidy(work, target, options);
      return new ExportPlace(target, lock, await WorkFolder.create(target), options);
    } catch (error) {
      for (const work of left) work.release();
      lock[Symbol.dispose]();
      throw error;
    }
  }

  private constructor(target: TargetFolder, lock: ProcessLock, work: WorkFolder, options: PlaceOptions) {
    this.#target = target;
    this.#lock = lock;
    this.#work = work;
    this.#options = options;
  }

  /** The folder that the model will be, without links. */
  get path(): string {
    return this.#target.path;
  }

  /** The folder to write the model into. */
  get staged(): string {
    return this.#work.staged;
  }

  /**
   * Puts the written model in its place. What was there is compared once more when nobody can find it by its name any
   * longer: if it is not as an export left it, it gets its place back, and a UserError says so.
   */
  async publish(): Promise<void> {
    const { path, shown } = this.#target;
    const { staged, earlier } = this.#work;
    try {
      await rename(path, earlier).catch(ignoreMissing);
      await rename(staged, path);
    } catch (cause) {
      await this.#work.restore(this.#target);
      throw cannotWrite(shown, cause);
    }
    const replaced = await this.#compareReplaced().catch(async (error: unknown) => {
      await rename(path, staged);
      await this.#work.restore(this.#target);
      throw error;
    });
    // From here on there is no way back; what is left of it is removed with the work folder.
    await removeExport(earlier, replaced).catch(() => {});
  }

  /** The files of what was there before. */
  async #compareReplaced(): Promise<readonly string[]> {
    const { path, shown } = this.#target;
    await syncFolder(dirname(path));
    return checkReplaceable(this.#work.earlier, shown, this.#options.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#work.restore(this.#target);
    await tidy(this.#work, this.#target, this.#options);
    this.#lock[Symbol.dispose]();
  }
}

/** What cannot be removed now is for the next export to the same place. */
async function tidy(work: WorkFolder, target: TargetFolder, { onNotice }: PlaceOptions): Promise<void> {
  const kept = await work.remove(target).catch(() => undefined);
  if (kept !== undefined) onNotice?.(`${kept} is an earlier export that was changed while another took its place`);
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
