import type { TensorSpec } from "../../checkpoint/safetensors-header.ts";
import type { Weight } from "../../model/architecture.ts";
import { pythonString } from "./python-literal.ts";

/** A weight of the merged model and the dtype that it is stored in. */
export interface StoredWeight extends Weight {
  readonly dtype: TensorSpec["dtype"];
}

/** PyTorch's names of the dtypes. */
export const torchDtype: Readonly<Record<TensorSpec["dtype"], string>> = {
  f32: "torch.float32",
  f16: "torch.float16",
  bf16: "torch.bfloat16",
};

/** The weights as rows of a Python table: a name with `{}` for the layer, group, dtype, and the layers that have it. */
export function tensorTable(weights: readonly StoredWeight[]): string {
  const rows = new Map<string, (number | undefined)[]>();
  for (const { name, group, dtype, layer } of weights) {
    const template = layer === undefined ? name : name.replace(`.${layer}.`, ".{}.");
    const row = `${pythonString(template)}, ${pythonString(group)}, ${torchDtype[dtype]}`;
    rows.set(row, [...(rows.get(row) ?? []), layer]);
  }
  return Array.from(rows, ([row, layers]) => `    (${row}, ${layerRange(layers)}),\n`).join("");
}

function layerRange(layers: readonly (number | undefined)[]): string {
  const [first = Number.NaN] = layers;
  const isRange = layers.every((layer, i) => layer === first + i);
  if (isRange) return `range(${first}, ${first + layers.length})`;
  return `[${layers.map((layer) => layer ?? "None").join(", ")}]`;
}
