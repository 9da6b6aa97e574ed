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
  readonly target: FilePlace;
}

/** To hash some bytes of a file, those that follow what was hashed of it before. */
export interface HashTask {
  readonly kind: "hash";
  readonly place: FilePlace;
  readonly bytes: number;
}

export type ThreadTask = MergeTask | HashTask;

/** What a task has found: the sha256 of a file so far, in hexadecimal, where it hashes. */
export type TaskResult = string | undefined;
