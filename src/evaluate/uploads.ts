import type { Device, DeviceTensor } from "../device/device.ts";
import { input, type Expression } from "../device/expression.ts";
import type { Shape } from "../tensor/dtype.ts";

/** Numbers that are brought to a device one after the other, and leave it together. */
export class Uploads {
  readonly #device: Device;
  readonly #tensors: DeviceTensor[] = [];

  constructor(device: Device) {
    this.#device = device;
  }

  async put(values: Int32Array | Float32Array, shape: Shape): Promise<Expression> {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const tensor = await this.#device.upload(bytes, values instanceof Int32Array ? "i32" : "f32", shape);
    this.#tensors.push(tensor);
    return input(tensor);
  }

  /** Each value of a record, under its name. */
  async putEach<T>(
    values: Readonly<Record<string, T>>,
    placed: (value: T, name: string) => readonly [Int32Array | Float32Array, Shape],
  ): Promise<Record<string, Expression>> {
    const uploaded: Record<string, Expression> = {};
    for (const [name, value] of Object.entries(values)) uploaded[name] = await this.put(...placed(value, name));
    return uploaded;
  }

  free(): void {
    this.#device.free(...this.#tensors.splice(0));
  }
}
