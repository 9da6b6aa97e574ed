import type { Device, DeviceTensor } from "../../src/device/device.ts";
import { dot, type Expression, input, mul, sumTo } from "../../src/device/expression.ts";
import { gradients } from "../../src/device/gradient.ts";
import { byCoefficient } from "../../src/merge/formula-numbers.ts";
import { type MergeParents, mergeTensor, type Scaled } from "../../src/merge/merge-tensor.ts";
import { prepareMerge } from "../../src/merge/prepare-merge.ts";
import type { Step } from "../../src/merge/recipe.ts";
import type { Shape } from "../../src/tensor/dtype.ts";
import type { StoredValues } from "../../src/tensor/stored-values.ts";
import { fromFloat32, toFloat32 } from "../../src/tensor/half.ts";

/** One weight of a base and of experts by name, f32. */
export interface Family {
  readonly shape: Shape;
  readonly base: Float32Array;
  readonly experts: Readonly<Record<string, Float32Array>>;
}

/** The merged weight. */
export async function mergedValues(device: Device, family: Family, step: Step, weight = "w"): Promise<Float32Array> {
  return withParents(device, family, step, weight, async (parents) => {
    const [merged] = await device.run([mergeTensor(parents, step)]);
    const values = toFloat32(await device.read(merged!), "f32");
    device.free(merged!);
    return values;
  });
}

/** Derivatives of the sum of products of the merged weight and a seed, by parameter, in the order of the experts. */
export async function mergedSlopes(
  device: Device,
  family: Family,
  step: Step,
  seed: Float32Array,
): Promise<Record<string, number[]>> {
  return withParents(device, family, step, "w", async (parents) => {
    const put = await device.upload(new Uint8Array(seed.slice().buffer), "f32", family.shape);
    const met: Scaled[] = [];
    const output = mergeTensor(parents, step, (scaled) => met.push(scaled));
    const found = gradients(
      [{ output, seed: input(put) }],
      met.map(({ node }) => node),
    );
    const slopes: Record<string, number[]> = {};
    for (const [i, { node, factor }] of met.entries()) {
      const derivative = found[i];
      if (!derivative) continue;
      const byFactor = node.op === "scale" ? dot(derivative, node.x) : sumTo(mul(derivative, node.x), node.y.shape);
      const [sums] = await device.run([byFactor]);
      const values = toFloat32(await device.read(sums!), "f32");
      device.free(sums!);
      for (const { parameter, expert, slope } of factor) {
        const own = (slopes[parameter] ??= Object.keys(family.experts).map(() => 0));
        own[expert]! += byCoefficient(slope, values)[0] ?? Number.NaN;
      }
    }
    device.free(put);
    return slopes;
  });
}

function stored(values: Float32Array): StoredValues {
  return { dtype: "f32", bytes: fromFloat32(values, "f32") };
}

async function withParents<T>(
  device: Device,
  { shape, base, experts }: Family,
  step: Step,
  weight: string,
  work: (parents: MergeParents) => Promise<T>,
): Promise<T> {
  const named = Object.entries(experts).map(([name, values]) => ({ name, stored: stored(values) }));
  const { facts, leaves } = await prepareMerge(step, { weight, shape, base: stored(base), experts: named });
  const tensors: DeviceTensor[] = [];
  const put = async (values: Float32Array): Promise<Expression> => {
    tensors.push(await device.upload(new Uint8Array(values.slice().buffer), "f32", shape));
    return input(tensors.at(-1)!);
  };
  const models: Record<string, Expression> = { base: await put(base) };
  for (const [name, values] of Object.entries(experts)) models[name] = await put(values);
  const onDevice: Record<string, Expression>[] = [];
  for (const own of leaves) {
    const made: Record<string, Expression> = {};
    for (const [name, values] of Object.entries(own)) made[name] = await put(values);
    onDevice.push(made);
  }
  try {
    return await work({ models, base: "base", experts: Object.keys(experts), ...facts, leaves: onDevice });
  } finally {
    device.free(...tensors);
  }
}
