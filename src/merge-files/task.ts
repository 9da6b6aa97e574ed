/** What a thread is asked to do, as plain data that crosses to it, and what it answers. */
import type { FilePlace } from "../checkpoint/weight-file.ts";
import type { Dtype, Shape } from "../tensor/dtype.ts";
import type { PlannedWeight } from "./plan.ts";

/** A tensor of a parent: where it lies in a file, or its bytes, which threads share. */
export interface ParentTensor {
  /** Of the model, for messages. */
  readonly folder: string;
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: Shape;
  readonly stored: FilePlace | Uint8Array;
}

/** To merge a weight into its place in a file. */
export interface MergeTask {
  readonly kind: "merge";
  readonly weight: PlannedWeight;
  /** The base, where there is one, and the experts. */
  readonly parents: readonly ParentTensor[];
  readonly target: Pick<FilePlace, "descriptor" | "start">;
  /** Whether the parents' bytes are hashed, too. */
  readonly hashesParents: boolean;
}

/** To read some bytes of a file back, those that follow what was read of it before. */
export interface ReadTask {
  readonly kind: "read back";
  readonly path: string;
  readonly descriptor: number;
  readonly start: number;
  readonly bytes: number;
  /** Of what was written there. */
  readonly crc32: number;
}

export type ThreadTask = MergeTask | ReadTask;

/** What a task has found; sums are sha256 in hexadecimal. */
export interface TaskResult {
  /** Of the merged weight; of a file so far. */
  readonly sha256: string;
  readonly crc32: number;
  /** Of each parent, where they were asked for. */
  readonly parents: readonly string[];
}
