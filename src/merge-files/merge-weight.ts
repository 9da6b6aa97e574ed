import { setImmediate } from "node:timers/promises";
import { notFinite } from "../checkpoint/not-finite.ts";
import { bytesPerElement, elementCount } from "../tensor/dtype.ts";
import { UserError } from "../errors.ts";
import { firstNonFinite } from "../tensor/finite.ts";
import { fillFrom, writeTo } from "./file-bytes.ts";
import { kernelOf } from "./kernel.ts";
import { PIECE } from "./kernel-memory.ts";
import type { KernelRunner, LoadedKernel } from "./kernel-runner.ts";
import { parentsOf, type PlannedWeight } from "./plan.ts";
import { expressionOf } from "./weight-expression.ts";
import type { MergeTask, ParentTensor } from "./task.ts";

/** Pieces after which the event loop gets its turn: some 10 ms. */
const PIECES = 32;

/** Merges a weight, or a part of it, piece by piece: reads those of its parents, computes and writes. The sum of all bytes by `byteSum`. */
export async function mergeWeight(task: MergeTask, runner: KernelRunner): Promise<number> {
  const { weight, part } = task;
  // Of nothing there is nothing to be known, such as where a density would cut.
  const { expression, inputs } = await expressionOf(part.count === 0 ? { ...task, weight: copyOf(weight) } : task);
  const kernel = runner.load(kernelOf(expression, inputs));
  const end = part.first + part.count;
  let sum = 0;
  for (let { first } = part; first < end; first += PIECES * PIECE) {
    if (first > part.first) await setImmediate();
    sum = mergePieces(task, kernel, inputs, { first, end: Math.min(end, first + PIECES * PIECE), sum });
  }
  return sum;
}

/** Merges elements from one on up to another; the sum of their bytes, and those before. */
function mergePieces(
  task: MergeTask,
  kernel: LoadedKernel,
  inputs: readonly ParentTensor[],
  { first: begin, end, sum: before }: { readonly first: number; readonly end: number; readonly sum: number },
): number {
  const size = bytesPerElement[task.weight.spec.dtype];
  let sum = before;
  for (let first = begin; first < end; first += PIECE) {
    const count = Math.min(PIECE, end - first);
    const read = inputs.map((input, i) => readPiece(input, first, kernel.inputBytes(i, bytesOf(input, count))));
    const isFinite = kernel.run(first, count);
    const bytes = kernel.outputBytes(count * size);
    if (!isFinite) refuseNonFinite(task, read, bytes, first);
    writeTo(task.target, first * size, bytes);
    sum = kernel.outputSum(bytes.length, sum);
  }
  return sum;
}

function copyOf(weight: PlannedWeight): PlannedWeight {
  return { ...weight, step: { method: "passthrough", model: parentsOf(weight)[0]?.model ?? "" } };
}

function bytesOf({ dtype }: ParentTensor, count: number): number {
  return count * bytesPerElement[dtype];
}

/** Fills the bytes with those of a tensor from an element on. */
function readPiece(parent: ParentTensor, first: number, bytes: Uint8Array): Uint8Array {
  const { stored } = parent;
  const offset = bytesOf(parent, first);
  if (stored instanceof Uint8Array) {
    bytes.set(stored.subarray(offset, offset + bytes.length));
    return bytes;
  }
  fillFrom(stored, offset, bytes);
  return bytes;
}

/** A UserError for what is not finite in a piece; a kernel computes some elements behind it, too, which are nobody's. */
function refuseNonFinite(
  { parents, weight }: MergeTask,
  inputs: readonly Uint8Array[],
  merged: Uint8Array,
  first: number,
): void {
  for (const [i, { folder, name, dtype }] of parents.entries()) {
    const at = firstNonFinite(inputs[i] ?? new Uint8Array(), dtype);
    if (at >= 0) throw notFinite(folder, name, first + at);
  }
  const { name, dtype } = weight.spec;
  const at = firstNonFinite(merged, dtype);
  if (at < 0) return;
  // By way of inner products an element makes others, too.
  for (const parent of parents) refuseNonFiniteParent(parent);
  throw new UserError(
    `merge: tensor ${name}: element ${first + at} of the result is NaN or infinite in ${dtype}; expected finite weights, use smaller coefficients or a type of more range`,
  );
}

function refuseNonFiniteParent(parent: ParentTensor): void {
  const elements = elementCount(parent.shape);
  const piece = new Uint8Array(bytesOf(parent, PIECE));
  for (let first = 0; first < elements; first += PIECE) {
    const read = readPiece(parent, first, piece.subarray(0, bytesOf(parent, Math.min(PIECE, elements - first))));
    const at = firstNonFinite(read, parent.dtype);
    if (at >= 0) throw notFinite(parent.folder, parent.name, first + at);
  }
}
