import type { TensorSpec } from "../checkpoint/safetensors-header.ts";
import type { Step } from "../merge/recipe.ts";

/** A tensor of a model: the name of one of the checkpoints that are merged, and that of a tensor in it. */
export interface TensorSource {
  readonly model: string;
  readonly tensor: string;
}

export interface ExpertSource extends TensorSource {
  /** What methods that draw at random know it by, wherever its model lies: the name of the model unless given. */
  readonly name?: string | undefined;
}

/** How one weight of the result is made. */
export interface PlannedWeight {
  /** What it is to be: its type may differ from its parents'. */
  readonly spec: TensorSpec;
  /** Absent where the method has none. */
  readonly base?: TensorSource | undefined;
  /** In the order of the step's values; of a `passthrough`, the parent that it names is here or is the base. */
  readonly experts: readonly ExpertSource[];
  readonly step: Step;
}

/** Base and experts of a weight, in this order. */
export function parentsOf({ base, experts }: Pick<PlannedWeight, "base" | "experts">): readonly TensorSource[] {
  return base ? [base, ...experts] : experts;
}
