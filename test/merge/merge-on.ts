import type { Device, DeviceTensor } from "../../src/device/device.ts";
import { input } from "../../src/device/expression.ts";
import { mergeTensor } from "../../src/merge/merge-tensor.ts";
import { prepareMerge } from "../../src/merge/prepare-merge.ts";
import type { Step } from "../../src/merge/recipe.ts";
import type { Shape } from "../../src/tensor/dtype.ts";
import { fromFloat32, toFloat32 } from "../../src/tensor/half.ts";
import type { Stored } from "./reference-merge.ts";

/** A base and experts, by name, of one shape. */
export interface Family {
  readonly shape: Shape;
  readonly base: Stored;
  readonly experts: Readonly<Record<string, Stored>>;
}

export function f32(values: ArrayLike<number>): Stored {
  return { dtype: "f32", bytes: fromFloat32(Float32Array.from(values), "f32") };
}

export function valuesOf({ dtype, bytes }: Stored): Float32Array {
  return toFloat32(bytes, dtype);
}

/** The bytes of a merge on a device, with all that its method asks for. */
export async function mergeOn(device: Device, { shape, base, experts }: Family, step: Step): Promise<Uint8Array> {
  const held: DeviceTensor[] = [];
  const put = async ({ bytes, dtype }: Stored): Promise<ReturnType<typeof input>> => {
    const tensor = await device.upload(bytes, dtype, shape);
    held.push(tensor);
    return input(tensor);
  };
  const models = await inTurn({ base, ...experts }, put);
  const named = Object.entries(experts).map(([name, stored]) => ({ name, stored }));
  const { facts, leaves } = await prepareMerge(step, { weight: "w", shape, base, experts: named });
  const onDevice = [];
  for (const own of leaves)
    onDevice.push(await inTurn(own, (values) => put({ dtype: "f32", bytes: fromFloat32(values, "f32") })));
  const parents = { models, base: "base", experts: Object.keys(experts), ...facts, leaves: onDevice };
  const [merged] = await device.run([mergeTensor(parents, step)]);
  const bytes = await device.read(merged!);
  device.free(merged!, ...held);
  return bytes;
}

async function inTurn<T, U>(
  record: Readonly<Record<string, T>>,
  to: (value: T) => Promise<U>,
): Promise<Record<string, U>> {
  const made: Record<string, U> = {};
  for (const [name, value] of Object.entries(record)) made[name] = await to(value);
  return made;
}
