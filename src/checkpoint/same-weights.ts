import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers/promises";
import { bytesPerElement, type Dtype, elementCount, sameShape } from "../tensor/dtype.ts";
import { fromFloat32, toFloat32 } from "../tensor/half.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { TensorInfo } from "./safetensors-header.ts";

/** Where a tensor is looked at first: its beginning, its middle and its end. */
const SAMPLES = [0, 0.5, 1];
const SAMPLE_ELEMENTS = 2 ** 11;
/** Elements that are compared at once where one of two types is rounded to the other. */
const PIECE_ELEMENTS = 2 ** 20;
/** Elements of each of two tensors that are in memory at once where their values are compared. */
const READ_ELEMENTS = 2 ** 22;

/** What tensors can be looked at of, such as a checkpoint. */
interface Tensors {
  readonly tensors: ReadonlyMap<string, Pick<TensorInfo, "dtype" | "shape">>;
  readonly peek: Checkpoint["peek"];
}

/** Elements as stored. */
interface Elements {
  readonly bytes: Uint8Array;
  readonly dtype: Dtype;
}

/**
 * Whether two checkpoints of one architecture hold the same values in every tensor that both have: the same bytes or, where
 * the types differ, what one becomes when it is saved in the type of the other. A difference is mostly found in samples, at
 * the cost of some small reads a tensor; only where they are all equal is everything read. Rejects with the reason of an
 * aborted signal.
 */
export async function haveSameWeights(a: Checkpoint, b: Checkpoint, signal?: AbortSignal): Promise<boolean> {
  const names = [...a.tensors.keys()].filter((name) => b.tensors.has(name));
  if (!names.every((name) => sameShape(shapeOf(a, name), shapeOf(b, name)))) return false;
  for (const name of names) {
    signal?.throwIfAborted();
    const elements = elementCount(shapeOf(a, name));
    const length = Math.min(SAMPLE_ELEMENTS, elements);
    for (const share of SAMPLES) {
      const start = Math.floor(share * (elements - length));
      if (!areEqual(await elementsOf(a, name, start, length), await elementsOf(b, name, start, length))) return false;
    }
  }
  for (const name of names) {
    signal?.throwIfAborted();
    if (!(await areEqualInPieces(await wholeOf(a, name), await wholeOf(b, name)))) return false;
  }
  return true;
}

/**
 * Whether two tensors hold the same values, of whatever types. Both are read, in pieces, and nothing is
 * learnt of them. Rejects with the reason of an aborted signal.
 */
export async function haveSameValues(
  stored: Tensors,
  [a, b]: readonly [string, string],
  signal?: AbortSignal,
): Promise<boolean> {
  const elements = elementCount(shapeOf(stored, a));
  if (!sameShape(shapeOf(stored, a), shapeOf(stored, b))) return false;
  for (let start = 0; start < elements; start += READ_ELEMENTS) {
    signal?.throwIfAborted();
    const length = Math.min(READ_ELEMENTS, elements - start);
    const first = await elementsOf(stored, a, start, length);
    const second = await elementsOf(stored, b, start, length);
    // All types are within f32.
    const dtype = first.dtype === second.dtype ? first.dtype : "f32";
    if (Buffer.compare(savedAs(dtype, first), savedAs(dtype, second)) !== 0) return false;
  }
  return true;
}

function shapeOf({ tensors }: Tensors, name: string): readonly number[] {
  return tensors.get(name)?.shape ?? [];
}

function dtypeOf({ tensors }: Tensors, name: string): Dtype {
  return tensors.get(name)?.dtype ?? "f32";
}

async function elementsOf(stored: Tensors, name: string, start: number, length: number): Promise<Elements> {
  const dtype = dtypeOf(stored, name);
  const size = bytesPerElement[dtype];
  return { dtype, bytes: await stored.peek(name, start * size, length * size) };
}

async function wholeOf(checkpoint: Checkpoint, name: string): Promise<Elements> {
  return { dtype: dtypeOf(checkpoint, name), bytes: await checkpoint.read(name) };
}

/** In pieces, which need little memory, and between which the event loop gets its turn. */
async function areEqualInPieces(a: Elements, b: Elements): Promise<boolean> {
  if (a.dtype === b.dtype) return areEqual(a, b);
  const elements = a.bytes.length / bytesPerElement[a.dtype];
  for (let start = 0; start < elements; start += PIECE_ELEMENTS) {
    if (start > 0) await setImmediate();
    const end = Math.min(elements, start + PIECE_ELEMENTS);
    if (!areEqual(pieceOf(a, start, end), pieceOf(b, start, end))) return false;
  }
  return true;
}

function pieceOf({ bytes, dtype }: Elements, start: number, end: number): Elements {
  const size = bytesPerElement[dtype];
  return { dtype, bytes: bytes.subarray(start * size, end * size) };
}

function areEqual(a: Elements, b: Elements): boolean {
  if (a.dtype === b.dtype) return Buffer.compare(a.bytes, b.bytes) === 0;
  return Buffer.compare(savedAs(b.dtype, a), b.bytes) === 0 || Buffer.compare(savedAs(a.dtype, b), a.bytes) === 0;
}

function savedAs(dtype: Dtype, { bytes, dtype: from }: Elements): Uint8Array {
  return dtype === from ? bytes : fromFloat32(toFloat32(bytes, from), dtype);
}
