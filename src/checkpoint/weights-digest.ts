import { createHash } from "node:crypto";
import type { TensorSpec } from "./safetensors-header.ts";
import { sha256OfTensor } from "./tensor-hashes.ts";

/** What a tensor is and holds, in one line: `dtype shape sha256(bytes)`. */
export function tensorLine({ dtype, shape }: Omit<TensorSpec, "name">, sha256: string): string {
  return `${dtype} ${JSON.stringify(shape)} ${sha256}`;
}

/**
 * Identity of a set of tensors: sha256 over the sorted lines `name dtype shape sha256(bytes)`. The order of `add` and
 * the split into files do not matter, so a model merged layer by layer and its export have the same digest.
 */
export class WeightsDigest {
  readonly #lines = new Map<string, string>();

  /** Adds a whole tensor as stored; an Error when the name was added before. */
  async add(tensor: TensorSpec, bytes: Uint8Array): Promise<void> {
    if (this.#lines.has(tensor.name)) throw new Error(`tensor ${tensor.name} was added to the digest twice`);
    this.addLine(tensor.name, tensorLine(tensor, await sha256OfTensor(bytes)));
  }

  /** Adds a tensor by its `tensorLine`; an Error when the name was added before. */
  addLine(name: string, line: string): void {
    if (this.#lines.has(name)) throw new Error(`tensor ${name} was added to the digest twice`);
    this.#lines.set(name, `${name} ${line}\n`);
  }

  /** The sha256 of all tensors added so far, in hexadecimal. */
  digest(): string {
    return createHash("sha256")
      .update([...this.#lines.values()].toSorted().join(""))
      .digest("hex");
  }
}
