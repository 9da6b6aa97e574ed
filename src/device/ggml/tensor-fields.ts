import koffi from "koffi";
import type { Ggml, Pointer } from "./library.ts";

/** Where fields stand in ggml's struct of a tensor: in words of 64 bits, and a scale's factor in words of 32. */
export interface TensorFields {
  readonly buffer: number;
  readonly data: number;
  /** The tensor of which another is a view, itself none, and how many bytes behind it that begins. */
  readonly viewed: number;
  readonly offset: number;
  readonly factor: number;
}

/** Numbers that stand nowhere else in the structs that are searched for them. */
const [OFFSET, FACTOR] = [96n, Math.fround(1.7)];

/** Room for three tensors. */
const BYTES = 4096;

/** Found by what ggml itself writes there, so that a version with other structs is refused and never written to. */
export function findTensorFields(ggml: Ggml, bufferType: Pointer): TensorFields {
  const memory = new ArrayBuffer(BYTES);
  const [words, floats, start] = [new BigUint64Array(memory), new Float32Array(memory), koffi.address(memory)];
  const context: Pointer = ggml.init({ memSize: BYTES, memBuffer: start, noAlloc: true });
  const buffer = ggml.allocBuffer(bufferType, BYTES);
  try {
    const place = ggml.bufferBase(buffer) as bigint;
    const tensor = ggml.newTensor(context, 0, 4, [8, 8, 1, 1]);
    ggml.placeTensor(buffer, tensor, place);
    const view = ggml.view2d(context, tensor, 8, 2, 32, OFFSET);
    const scaled = ggml.scale(context, view, FACTOR);
    const wordOf = (pointer: Pointer): number => Number((pointer as bigint) - start) / 8;
    const distance = (from: Pointer, value: bigint): number => words.indexOf(value, wordOf(from)) - wordOf(from);
    const fields = {
      buffer: distance(tensor, buffer as bigint),
      data: distance(tensor, place),
      offset: distance(view, OFFSET),
      // Its operand stands before it.
      viewed: words.lastIndexOf(tensor as bigint, wordOf(scaled) - 1) - wordOf(view),
      factor: floats.indexOf(FACTOR, 2 * wordOf(scaled)) - 2 * wordOf(scaled),
    };
    const structWords = Number(ggml.tensorOverhead()) / 8;
    const isElsewhere = words[wordOf(view) + fields.data] !== place + OFFSET;
    const missing =
      isElsewhere || Object.values(fields).some((distance) => distance < 0 || distance >= 2 * structWords);
    if (missing) throw new Error(`ggml: found no fields of a tensor's struct (${JSON.stringify(fields)})`);
    return fields;
  } finally {
    ggml.freeBuffer(buffer);
    ggml.freeContext(context);
  }
}
