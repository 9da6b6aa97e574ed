import { createHash } from "node:crypto";
import { elementCount } from "../../tensor/dtype.ts";
import type { Leaf } from "../facts.ts";

/**
 * Uniform in [0, 1), by the recipe's seed, the weight's name, the expert's and the element's index alone: a search, an export,
 * every engine and a starter kit's class drop the same elements.
 */
export const noise: Leaf = {
  name: "noise",
  isRandom: true,
  async make({ weight, shape, seed, experts, expert }) {
    const { noiseOf } = await import("../../tensor/noise.ts");
    const digest = createHash("sha256").update(`${seed}\n${weight}\n${experts[expert]?.name}`).digest();
    return noiseOf(digest.readInt32LE(0), digest.readInt32LE(4), elementCount(shape));
  },
  python: String.raw`
def noise(name, expert, tensor, base):
    """Uniform in [0, 1), by the seed, the tensor's name, the model's and the index of each element alone."""
    digest = hashlib.sha256(f"{SEED}\n{name}\n{expert}".encode()).digest()
    first, second = (int.from_bytes(digest[i : i + 4], "little") for i in (0, 4))
    counters = (torch.arange(tensor.numel()) * 0x9E3779B1 + first) & 0xFFFFFFFF
    mixed = mix((mix(counters) + second) & 0xFFFFFFFF)
    return ((mixed >> 8).float() * 2.0**-24).reshape(tensor.shape)


def mix(x):
    """The finalizer of MurmurHash3, of numbers of 32 bits."""
    x = ((x ^ (x >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    x = ((x ^ (x >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return x ^ (x >> 16)
`,
};
