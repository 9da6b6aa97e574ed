/** Numbers as text, for JSON: little-endian in base64, with every bit and every NaN. */
import { UserError } from "../errors.ts";

export function textOf({ buffer, byteOffset, byteLength }: Float64Array | Int32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}

/** A UserError where the text is not that of f64 numbers. */
export function floatsOf(text: string): Float64Array {
  return new Float64Array(bytesOf(text, Float64Array.BYTES_PER_ELEMENT));
}

/** A UserError where the text is not that of i32 numbers. */
export function integersOf(text: string): Int32Array {
  return new Int32Array(bytesOf(text, Int32Array.BYTES_PER_ELEMENT));
}

/** In an ArrayBuffer of their own, since Node's are in no order that numbers could be read in place. */
function bytesOf(text: string, each: number): ArrayBuffer {
  const decoded = Buffer.from(text, "base64");
  // Node passes over what is no base64.
  if (decoded.length % each !== 0 || decoded.toString("base64") !== text) {
    throw new UserError(`expected numbers of ${each} bytes in base64, found other text`);
  }
  return new Uint8Array(decoded).buffer;
}
