import type * as tf from "@tensorflow/tfjs-core";
import type { Expression, Operation } from "../expression.ts";
import type { SlicePace } from "./pace.ts";
import type { TensorMemory } from "./tensor-memory.ts";

/** What a lowering needs of the run that it is part of. */
export interface LoweringRun {
  /** The computed value of a node that it reads. */
  readonly of: (node: Expression) => tf.Tensor;
  /** The nodes that a node reads, as they were planned. */
  readonly reads: LoweringPlan["reads"];
  readonly memory: TensorMemory;
  readonly pace: SlicePace;
}

export type Computed = Exclude<Operation, "input">;
// Not Extract as in Node: a general Op must still be known to have its fields.
export type Computation<Op extends Operation> = Expression & { readonly op: Op };

/** How the nodes of a graph become operations of a backend. */
export interface Lowering {
  /** What computing these outputs takes: every node that is read, before those that read it. */
  plan(outputs: readonly Expression[]): LoweringPlan;
  /** Computes one node from the values of those that it reads; the caller owns the result. */
  evaluate(node: Computation<Computed>, run: LoweringRun): tf.Tensor | Promise<tf.Tensor>;
}

export interface LoweringPlan {
  readonly outputs: readonly Expression[];
  readonly order: readonly Expression[];
  readonly reads: (node: Expression) => readonly Expression[];
}
