import { createHash } from "node:crypto";
import { updateHash } from "./pieces.ts";
import type { TensorSpec } from "./safetensors-header.ts";

/**
 * Identity of a set of tensors: sha256 over the sorted lines `name dtype shape sha256(bytes)`. The order of `add` and
 * the split into files do not matter, so a model merged layer by layer and its export have the same digest.
 */
export class WeightsDigest {
  readonly #lines = new Map<string, string>();

  /** Adds a whole tensor as stored; an Error when the name was added before. */
  async add({ name, dtype, shape }: TensorSpec, bytes: Uint8Array): Promise<void> {
    if (this.#lines.has(name)) throw new Error(`tensor ${name} was added to the digest twice`);
    const hash = createHash("sha256");
    await updateHash(hash, bytes);
    this.#lines.set(name, `${name} ${dtype} ${JSON.stringify(shape)} ${hash.digest("hex")}\n`);
  }

  /** The sha256 of all tensors added so far, in hexadecimal. */
  digest(): string {
    return createHash("sha256")
      .update([...this.#lines.values()].toSorted().join(""))
      .digest("hex");
  }
}
