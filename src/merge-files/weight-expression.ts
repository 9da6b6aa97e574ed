import type { DeviceTensor } from "../device/device-tensor.ts";
import { type Expression, input } from "../device/expression.ts";
import { declarations } from "../merge/declarations.ts";
import { mergeTensor } from "../merge/merge-tensor.ts";
import type { Step } from "../merge/recipe.ts";
import { elementCount, bytesPerElement } from "../tensor/dtype.ts";
import { type Gram, gramOf, type StoredValues } from "../tensor/gram.ts";
import { readAt } from "./file-bytes.ts";
import { parentsOf, type PlannedWeight } from "./plan.ts";
import type { ParentTensor } from "./task.ts";

/** The merge of a weight as an expression of one input for each parent, its base and its experts in their order. */
export async function expressionOf(
  weight: PlannedWeight,
  parents: readonly ParentTensor[],
  leaves: readonly DeviceTensor[],
): Promise<Expression> {
  const names = leaves.map((_, i) => String(i));
  return mergeTensor(
    {
      models: Object.fromEntries(leaves.map((leaf, i) => [String(i), input(leaf)])),
      // What a method without a base is given for one tells it no more than a shape.
      base: "0",
      experts: weight.base ? names.slice(1) : names,
      gram: await gramAt(weight, parents),
      dtype: weight.spec.dtype,
    },
    stepByPlace(weight),
  );
}

/** A `passthrough` names its parent by its place among them. */
function stepByPlace(weight: PlannedWeight): Step {
  const { step } = weight;
  if (step.method !== "passthrough") return step;
  return { ...step, model: String(parentsOf(weight).findIndex(({ model }) => model === step.model)) };
}

async function gramAt({ base, step }: PlannedWeight, parents: readonly ParentTensor[]): Promise<Gram | undefined> {
  if (step.method === "passthrough" || !declarations[step.method].combine) return undefined;
  const values = parents.map(valuesOf);
  const [first] = values;
  if (!first) throw new Error("merge: a weight without parents");
  return gramOf(first, base ? values.slice(1) : values);
}

function valuesOf({ dtype, shape, stored }: ParentTensor): StoredValues {
  if (stored instanceof Uint8Array) return { dtype, bytes: stored };
  const bytes = new Uint8Array(elementCount(shape) * bytesPerElement[dtype]);
  readAt(stored, 0, bytes);
  return { dtype, bytes };
}
