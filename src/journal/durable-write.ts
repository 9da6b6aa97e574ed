import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { UserError } from "../errors.ts";
import { stagedName } from "../files/staged-name.ts";

/** Writes a file that appears whole or not at all, whenever the process or the machine stops. */
export function writeDurably(path: string, content: string): void {
  const staged = stagedName(path);
  withDescriptor(staged, "wx", (descriptor) => {
    writeFileSync(descriptor, content);
    fsyncSync(descriptor);
  });
  renameSync(staged, path);
  // The new name is in the folder, which is a file of its own; Windows cannot open it.
  if (process.platform !== "win32") withDescriptor(dirname(path), "r", fsyncSync);
}

/** Runs `work`; what the file system refuses, such as to write to a full disk, becomes a UserError about `path`. */
export function explainFailure<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && "syscall" in error) {
      throw new UserError(`${path}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

/** Closes the file again, also when `work` throws. */
export function withDescriptor<T>(path: string, flags: "r" | "wx", work: (descriptor: number) => T): T {
  const descriptor = openSync(path, flags);
  try {
    return work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
