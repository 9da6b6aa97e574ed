import { bytesPerElement, type Dtype } from "./dtype.ts";

/** A weight of one parent as it is stored. */
export interface StoredValues {
  readonly dtype: Dtype;
  /** All of them; they are read as a whole by whoever asks for them. */
  readonly bytes: Uint8Array;
  /** Of what is not in memory until then: how many bytes there are, and how some are read from one on. */
  readonly unread?: UnreadBytes;
}

interface UnreadBytes {
  readonly length: number;
  readonly read: (start: number, into: Uint8Array) => void;
}

/** How many elements there are. */
export function elementsOf(values: StoredValues): number {
  return (values.unread?.length ?? values.bytes.length) / bytesPerElement[values.dtype];
}

/** Fills bytes with those of elements from one on. */
export function copyElements(values: StoredValues, first: number, into: Uint8Array): void {
  const start = first * bytesPerElement[values.dtype];
  if (values.unread) values.unread.read(start, into);
  else into.set(values.bytes.subarray(start, start + into.length));
}
