import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { UserError } from "../errors.ts";
import { whyRefused } from "./cannot-write.ts";
import { stagedName } from "./staged-name.ts";

/** Writes a file that appears whole or not at all, whenever the process or the machine stops, or the disk is full. */
export function writeDurably(path: string, content: string, staged: string = stagedName(path)): void {
  try {
    withDescriptor(staged, "wx", (descriptor) => {
      writeFileSync(descriptor, content);
      fsyncSync(descriptor);
    });
    renameSync(staged, path);
  } catch (error) {
    tryToUnlink(staged);
    throw error;
  }
  // The new name is in the folder, which is a file of its own; Windows cannot open it.
  if (process.platform !== "win32") withDescriptor(dirname(path), "r", fsyncSync);
}

/** Removes a file, or a link, where that is possible; whether it did. */
export function tryToUnlink(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Runs `work`; what the file system refuses, such as to write to a full disk, becomes a UserError about `path`, which may add what is left. */
export function explainFailure<T>(path: string, work: () => T, left = ""): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && "syscall" in error) {
      throw new UserError(`${path}: ${whyRefused(path, error)}${left}`, { cause: error });
    }
    throw error;
  }
}

/** Closes the file again, also when `work` throws. */
function withDescriptor<T>(path: string, flags: "r" | "wx", work: (descriptor: number) => T): T {
  const descriptor = openSync(path, flags);
  try {
    return work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
