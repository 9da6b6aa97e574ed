import { dirname } from "node:path";
import { UserError } from "../errors.ts";
import { cannotWrite } from "../files/cannot-write.ts";
import { syncFolder } from "../files/atomic-file.ts";
import { reasonOf } from "../files/system-error.ts";
import type { ProcessLock } from "../lock/process-lock.ts";
import { checkReplaceable } from "./earlier-export.ts";
import { lockTarget, openTarget, type TargetFolder } from "./target-folder.ts";
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

  /** The same as it was asked for, for messages. */
  get shown(): string {
    return this.#target.shown;
  }

  /** The folder to write the model into. */
  get staged(): string {
    return this.#work.staged;
  }

  /**
   * Puts the written model in its place, in an order that nothing of anyone's can be lost by: what is there is set aside,
   * compared once more now that nobody finds it by its name, and only if it is as an export left it the model gets its
   * name, unless there is something again. No signal is obeyed on the way.
   */
  async publish(): Promise<void> {
    const { path, shown } = this.#target;
    await this.#work.setAside(this.#target).catch((cause: unknown) => this.#keepModel(cause));
    await checkReplaceable(this.#work.earlier, shown);
    await this.#work.moveIn(this.#target).catch((cause: unknown) => this.#keepModel(cause));
    await syncFolder(dirname(path)).catch((cause: unknown) => {
      throw cannotWrite(shown, cause);
    });
  }

  /** A finished model may be worth hours. */
  async #keepModel(cause: unknown): Promise<never> {
    const notice = await this.#work.settleEarlier(this.#target);
    if (notice !== undefined) this.#options.onNotice?.(notice);
    const kept = await this.#work.keepStaged(this.#target);
    throw new UserError(
      `cannot write ${this.#target.shown}: ${reasonOf(cause)}; the finished model is in ${kept}, move it yourself`,
      { cause },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await tidy(this.#work, this.#target, this.#options);
    this.#lock[Symbol.dispose]();
  }
}

/** What cannot be removed now is for the next export to the same place. */
async function tidy(work: WorkFolder, target: TargetFolder, { onNotice }: PlaceOptions): Promise<void> {
  try {
    const notice = await work.remove(target);
    if (notice !== undefined) onNotice?.(notice);
  } catch (error) {
    onNotice?.(`cannot tidy up ${work.path}: ${reasonOf(error)}; the next export to ${target.shown} will try again`);
  }
}
