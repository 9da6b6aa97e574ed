import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { notFinite } from "../checkpoint/not-finite.ts";
import { bytesPerElement, elementCount } from "../tensor/dtype.ts";
import { firstNonFinite } from "../tensor/finite.ts";
import { fillFrom, writeAt } from "./file-bytes.ts";
import { kernelOf } from "./kernel.ts";
import { PIECE } from "./kernel-memory.ts";
import type { KernelRunner } from "./kernel-runner.ts";
import { expressionOf } from "./weight-expression.ts";
import type { TaskResult, MergeTask, ParentTensor } from "./task.ts";

/** Pieces after which the event loop gets its turn: some 10 ms. */
const PIECES = 32;

/** Merges a weight piece by piece: reads those of its parents, computes, writes and hashes. */
export async function mergeWeight(task: MergeTask, runner: KernelRunner): Promise<TaskResult> {
  const { weight, parents, target } = task;
  const { expression, inputs } = await expressionOf(weight, parents);
  const kernel = runner.load(kernelOf(expression, inputs));
  const merged = createHash("sha256");
  const own = parents.map(() => createHash("sha256"));
  const size = bytesPerElement[weight.spec.dtype];
  const elements = elementCount(weight.spec.shape);
  let sum = 0;
  for (let first = 0, piece = 1; first < elements; first += PIECE, piece += 1) {
    if (piece % PIECES === 0) await setImmediate();
    const count = Math.min(PIECE, elements - first);
    const read = inputs.map((input, i) => readPiece(input, first, kernel.inputBytes(i, bytesOf(input, count))));
    if (!kernel.run(first, count)) refuseNonFinite(parents, read, first);
    const bytes = kernel.outputBytes(count * size);
    writeAt(target, first * size, bytes);
    merged.update(bytes);
    sum = crc32(bytes, sum);
    if (task.hashesParents) for (const [i, hash] of own.entries()) hash.update(read[i] ?? "");
  }
  const parentSums = task.hashesParents ? own.map((hash) => hash.digest("hex")) : [];
  return { sha256: merged.digest("hex"), crc32: sum, parents: parentSums };
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

function refuseNonFinite(parents: readonly ParentTensor[], inputs: readonly Uint8Array[], first: number): void {
  for (const [i, { folder, name, dtype }] of parents.entries()) {
    const at = firstNonFinite(inputs[i] ?? new Uint8Array(), dtype);
    if (at >= 0) throw notFinite(folder, name, first + at);
  }
}
