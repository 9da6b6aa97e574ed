/** C functions of libraries, called here, or told to another thread as data. */
import koffi, { type LibraryHandle } from "koffi";
import type { CFunction, Pointer } from "./library.ts";

/** By which any thread of this process can call a function. */
export interface FunctionPlace {
  readonly address: bigint;
  /** Types, as koffi reads them. */
  readonly result: string;
  readonly parameters: string;
}

/** A function, and where it is. */
export interface PlacedFunction extends CFunction {
  readonly place: FunctionPlace;
}

/** A call as data: numbers, addresses, and arrays of these. */
export interface NativeCall {
  readonly place: FunctionPlace;
  readonly values: readonly unknown[];
}

/** Calls that compute something one after the other. */
export interface NativeWork {
  readonly calls: readonly NativeCall[];
  /** The Error of a call that returned something else than 0, null or nothing; none of these does unless given. */
  readonly refusal?: (result: unknown) => Error;
  /** Memory that the calls need while they are made, and who is told where it is. */
  readonly scratchpad?: { readonly bytes: number; readonly lend: (address: bigint) => void };
  /** What the calls are told addresses of, so that it is not collected meanwhile. */
  readonly memory?: readonly ArrayBuffer[];
  /** Frees what was made for the calls, once none of them will come any more. */
  readonly free?: () => void;
}

/** Gives a library's function by its signature; undefined where there is none. */
export type FunctionFinder = (signature: string) => PlacedFunction | undefined;

/** A function of a library. Throws koffi's Error where it lacks it. */
export function functionIn(library: LibraryHandle, signature: string): PlacedFunction {
  const { name, ...types } = signatureParts(signature);
  const own = library.func(signature) as CFunction;
  return Object.assign(own, { place: { address: koffi.address(library.symbol(name)), ...types } });
}

/** A function of a library that may lack it. */
export function findFunction(library: LibraryHandle, signature: string): PlacedFunction | undefined {
  try {
    return functionIn(library, signature);
  } catch {
    return undefined;
  }
}

/** A function at an address; nameless, since a type with a name could not be declared again. */
export function functionAt(address: Pointer, result: string, parameters: string): PlacedFunction {
  const own = koffi.decode(address, koffi.proto(`${result} (${parameters})`)) as CFunction;
  return Object.assign(own, { place: { address: address as bigint, result, parameters } });
}

/** `type name(parameters)`. */
export function signatureParts(signature: string): { readonly name: string } & Omit<FunctionPlace, "address"> {
  const [, result = "", name = "", parameters = ""] = /^(.*?)(\w+)\((.*)\)$/.exec(signature) ?? [];
  return { name, result: result.trim(), parameters };
}
