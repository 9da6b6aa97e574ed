import { bytesPerElement, elementCount } from "../tensor/dtype.ts";
import type { Device, DeviceTensor, Incoming } from "./device.ts";

/** Memory for the bytes of a tensor that is to come to a device: the device's own where that is the host's. */
export async function receive(device: Device, tensor: DeviceTensor): Promise<Incoming> {
  if (device.receive) return device.receive(tensor);
  const { dtype, shape } = tensor;
  const bytes = new Uint8Array(elementCount(shape) * (dtype === "i32" ? 4 : bytesPerElement[dtype]));
  return { bytes, arrive: () => device.upload(bytes, dtype, shape), giveUp: () => {} };
}
