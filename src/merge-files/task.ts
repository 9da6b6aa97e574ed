/** What a thread is asked to do, as plain data that crosses to it, and what it answers. */
import type { FilePlace } from "../checkpoint/weight-file.ts";
import type { ParentFacts } from "../merge/facts.ts";
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

interface WeightTask {
  readonly weight: PlannedWeight;
  /** The base, where there is one, and the experts. */
  readonly parents: readonly ParentTensor[];
}

/** To find what a merge asks of a weight as a whole. */
export interface LearnTask extends WeightTask {
  readonly kind: "learn";
}

/** To merge a weight, or some elements of it, into its place in a file. */
export interface MergeTask extends WeightTask {
  readonly kind: "merge";
  readonly part: ElementRange;
  /** What was found of the weight; who merges it finds it where it is not given. */
  readonly facts: ParentFacts | undefined;
  /** The place of the whole weight. */
  readonly target: FilePlace;
}

/** Some elements of a tensor, from one on. */
export interface ElementRange {
  readonly first: number;
  readonly count: number;
}

/** To hash some bytes of a file, those that follow what was hashed of it before. */
export interface HashTask {
  readonly kind: "hash";
  readonly place: FilePlace;
  readonly bytes: number;
  /** Of those that were written there: others are an error. */
  readonly sum: number;
}

export type ThreadTask = LearnTask | MergeTask | HashTask;

/** What a task has found. */
export interface TaskResult {
  /** Of a file so far, in hexadecimal. */
  readonly sha256?: string;
  readonly facts?: ParentFacts;
  /** Of the bytes that were written, by `byteSum`. */
  readonly sum?: number;
}
