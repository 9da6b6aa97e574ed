import type { Header } from "./safetensors-header.ts";
import { SafetensorsFile } from "./safetensors-file.ts";
import { isTorchName } from "./weight-files.ts";

/** An open file of weights, whose header has been checked against its size. */
export interface WeightFile extends AsyncDisposable {
  readonly path: string;
  readonly header: Header;
  /** A whole tensor, row-major and little-endian. */
  read(name: string, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  /** Some of these bytes, from byte `start` on. */
  part(name: string, start: number, bytes: number, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  /** A `stampOf` all that a tensor is made from, by which later bytes of it are these; undefined where that cannot be told yet. */
  stamp(name: string): Promise<string | undefined>;
  /** A UserError where the file was written to since it was opened. */
  checkUnchanged(): Promise<void>;
  /** Where these bytes lie one after the other in a file that is open; undefined where they are made when they are read. */
  placeOf?(name: string): FilePlace | undefined;
}

/** A place in an open file, by its descriptor. */
export interface FilePlace {
  readonly path: string;
  readonly descriptor: number;
  readonly start: number;
}

/** Reads the header of a file in the format that its name says; a UserError when it is not sound. */
export async function openWeightFile(path: string): Promise<WeightFile> {
  if (!isTorchName(path)) return SafetensorsFile.open(path);
  const { TorchFile } = await import("./torch/torch-file.ts");
  return TorchFile.open(path);
}
