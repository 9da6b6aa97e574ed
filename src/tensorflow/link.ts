/**
 * The TensorFlow of a Python under an installed @tensorflow/tfjs-node or -gpu, in place of the one that the package downloads:
 * one file of the package changes, its binding, in one step and only when the new one has been loaded.
 * @module
 */
import { copyFile, mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { UserError } from "../errors.ts";
import { syncFolder } from "../files/atomic-file.ts";
import { readFileWithin } from "../files/read-file.ts";
import { removeAbandoned, stagedName } from "../files/staged-name.ts";
import { reasonOf } from "../files/system-error.ts";
import { holderInWords, ProcessLock } from "../lock/process-lock.ts";
import type { BoundPackage } from "./bound-package.ts";
import { compileBinding, LINKED_MARK } from "./compile-binding.ts";
import { findPythonTensorflow } from "./python-tensorflow.ts";
import { tryBinding, type TriedBinding } from "./try-binding.ts";

export interface Linked extends TriedBinding {
  /** Of the package in the Python. */
  readonly tensorflow: string;
}

/** Links the TensorFlow of a Python; a UserError says what is missing, and what was there before is there still. */
export async function linkTensorflow(bound: BoundPackage, python: string): Promise<Linked> {
  if (process.platform !== "linux") {
    throw new UserError(`expected Linux, whose wheels of TensorFlow can be linked, found ${process.platform}`);
  }
  const tensorflow = await findPythonTensorflow(python);
  return changing(bound, async () => {
    const made = stagedName(bound.binding);
    try {
      await compileBinding(bound.folder, made, tensorflow);
      const tried = await tryBinding(made, tensorflow.folder);
      await keepOwn(bound);
      await rename(made, bound.binding);
      return { ...tried, tensorflow: tensorflow.folder };
    } finally {
      await rm(made, { force: true });
    }
  });
}

/** Puts the package's own binding back, or none where it had none; a UserError where nothing is linked. */
export async function unlinkTensorflow(bound: BoundPackage): Promise<"restored" | "removed"> {
  return changing(bound, async () => {
    if (!(await isLinked(bound.binding))) {
      throw new UserError(`${bound.name}: expected a binding that evomerge linked, found none; nothing was changed`);
    }
    if (await moves(bound.own, bound.binding)) return "restored";
    await rm(bound.binding);
    return "removed";
  });
}

/** Does what no other process may do to the package meanwhile. */
async function changing<T>({ name, binding }: BoundPackage, change: () => Promise<T>): Promise<T> {
  const folder = dirname(binding);
  try {
    await mkdir(folder, { recursive: true });
    const lock = ProcessLock.tryAcquire(folder, "linking");
    if (!(lock instanceof ProcessLock)) throw new UserError(`${name} is in use by ${holderInWords(lock)}`);
    using _ = lock;
    removeAbandoned(folder);
    const result = await change();
    await syncFolder(folder);
    return result;
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause)) throw cause;
    throw new UserError(`${name}: cannot change ${folder}: ${reasonOf(cause)}`, { cause });
  }
}

/** The last binding that was not made here is the package's own, however often others take its place. */
async function keepOwn({ binding, own }: BoundPackage): Promise<void> {
  if (await isLinked(binding)) return;
  const copy = stagedName(own);
  try {
    await copyFile(binding, copy);
    await rename(copy, own);
  } catch (error) {
    if (!isMissing(error)) throw error;
    // What an earlier installation left is not this package's own.
    await rm(own, { force: true });
  } finally {
    await rm(copy, { force: true });
  }
}

async function isLinked(file: string): Promise<boolean> {
  try {
    const bytes = await readFileWithin(file, { what: "a binding of TensorFlow", maxBytes: 2 ** 28 });
    return bytes.includes(LINKED_MARK);
  } catch (error) {
    if (isMissing((error as Error).cause)) return false;
    throw error;
  }
}

async function moves(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
