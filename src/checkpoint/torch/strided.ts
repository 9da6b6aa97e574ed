import { elementCount } from "../../tensor/dtype.ts";
import type { TorchView } from "./pickle-values.ts";

type Strided = Pick<TorchView, "shape" | "strides">;

/** Whether the elements of a tensor lie one after the other in row-major order. */
export function isContiguous({ shape, strides }: Strided): boolean {
  if (elementCount(shape) === 0) return true;
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    const size = shape[i] ?? 1;
    // Of a dimension of one the stride is never used.
    if (size !== 1 && strides[i] !== expected) return false;
    expected *= size;
  }
  return true;
}

/** Elements from the first to the last of a tensor, those between that are not its own included. */
export function spanOf({ shape, strides }: Strided): number {
  if (elementCount(shape) === 0) return 0;
  return shape.reduce((sum, size, i) => sum + (size - 1) * (strides[i] ?? 0), 1);
}

/** The elements of a tensor in row-major order, from the bytes of its span. */
export function gatherElements(span: Uint8Array<ArrayBuffer>, view: TorchView): Uint8Array<ArrayBuffer> {
  const { shape, strides, storage } = view;
  const source = elementsOf(span, storage.elementBytes);
  const gathered = new Uint8Array(elementCount(shape) * storage.elementBytes);
  const target = elementsOf(gathered, storage.elementBytes);
  const last = shape.length - 1;
  const [rowLength = 1, step = 0] = [shape[last], strides[last]];
  let at = 0;
  for (const start of rowStarts(shape.slice(0, last), strides)) {
    for (let i = 0; i < rowLength; i++) target[at++] = source[start + i * step] ?? 0;
  }
  return gathered;
}

/** The first element of each row of a tensor, in order. */
function* rowStarts([size, ...inner]: readonly number[], [stride = 0, ...others]: readonly number[]): Iterable<number> {
  if (size === undefined) yield 0;
  else for (let i = 0; i < size; i++) for (const start of rowStarts(inner, others)) yield i * stride + start;
}

/** Elements as whole numbers of their size, whose bits are copied. */
function elementsOf({ buffer }: Uint8Array<ArrayBuffer>, bytes: number): Uint16Array | Uint32Array {
  return bytes === 2 ? new Uint16Array(buffer) : new Uint32Array(buffer);
}
