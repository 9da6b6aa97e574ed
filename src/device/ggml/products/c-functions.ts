import { promisify } from "node:util";
import type { LibraryHandle } from "koffi";
import type { CFunction, Pointer } from "../library.ts";

/** A function of a library that may lack it. */
export function findFunction(library: LibraryHandle, signature: string): CFunction | undefined {
  try {
    return library.func(signature) as CFunction;
  } catch {
    return undefined;
  }
}

/** Calls a function on a thread of its own. */
export function inThread({ async }: CFunction): (...values: readonly unknown[]) => Promise<Pointer> {
  return promisify(async);
}
