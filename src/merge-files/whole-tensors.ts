import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { tensorBytes } from "../checkpoint/safetensors-header.ts";
import { needsOf } from "../merge/needs-of.ts";
import { elementCount } from "../tensor/dtype.ts";
import { parentsOf, type PlannedWeight } from "./plan.ts";

/** Whole tensors that are in memory while a weight is merged, in bytes: a method that needs none of them takes pieces. */
export function wholeTensorBytes(weight: PlannedWeight, checkpoints: ReadonlyMap<string, Checkpoint>): number {
  const { step, experts, spec } = weight;
  const needs = needsOf(step);
  const readsWhole = needs?.leaves !== undefined || needs?.disagreement !== undefined;
  const leaves = (needs?.leaves ?? []).length * experts.length * 4 * elementCount(spec.shape);
  const parents = parentsOf(weight).map(({ model, tensor }) => {
    const checkpoint = checkpoints.get(model);
    const stored = checkpoint?.tensors.get(tensor);
    // One that is made when it is read is made as a whole.
    return stored && (readsWhole || !checkpoint?.placeOf(tensor)) ? tensorBytes(stored) : 0;
  });
  return parents.reduce((sum, bytes) => sum + bytes, leaves);
}
