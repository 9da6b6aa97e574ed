import { promisify } from "node:util";
import koffi, { type LibraryHandle } from "koffi";
import type { CFunction, Pointer } from "../library.ts";

/** Gives a library's function by its signature; undefined where there is none. */
export type FunctionFinder = (signature: string) => CFunction | undefined;

/** A function of a library that may lack it. */
export function findFunction(library: LibraryHandle, signature: string): CFunction | undefined {
  try {
    return library.func(signature) as CFunction;
  } catch {
    return undefined;
  }
}

/** A function at an address; nameless, since a type with a name could not be declared again. */
export function functionAt(address: Pointer, result: string, parameters: string): CFunction {
  return koffi.decode(address, koffi.proto(`${result} (${parameters})`)) as CFunction;
}

/** Calls a function on a thread of its own. */
export function inThread({ async }: CFunction): (...values: readonly unknown[]) => Promise<Pointer> {
  return promisify(async);
}
