import type { Device, DeviceTensor } from "../device/device.ts";
import { type Expression, input } from "../device/expression.ts";
import type { Leaf } from "../merge/facts.ts";
import { leavesOf, makeLeaf, seedOf } from "../merge/prepare-merge.ts";
import type { Step } from "../merge/recipe.ts";
import { type Loaded, storedIn } from "./loaded.ts";

/** What merge methods derive of weights, on the device beside the parents: an f32 tensor for each weight, expert and seed. */
export class Leaves {
  readonly #device: Device;
  /** Bytes that leaves may take for good. */
  #room: number;
  /** By the weight's name, then by leaf, expert and seed. */
  readonly #tensors = new Map<string, Map<string, DeviceTensor>>();
  /** Names of the weights whose leaves stay. */
  readonly #staying = new Set<string>();

  constructor(device: Device, room: number) {
    this.#device = device;
    this.#room = room;
  }

  /** Whether a merge asks for leaves of a weight that are not there. */
  lacks(name: string, step: Step): boolean {
    const own = this.#tensors.get(name);
    return leavesOf(step).some((leaf) => !own?.has(keyOf(leaf, step, 0)));
  }

  /** Those that merges of a weight, of which base and experts were read, ask for and that are not there; all of them or none. */
  async put(own: readonly Loaded[], steps: readonly Step[]): Promise<void> {
    const [base] = own;
    if (!base) return;
    try {
      await this.#putEach(base, own.slice(1), steps);
    } catch (error) {
      this.drop([base.info.name]);
      throw error;
    }
  }

  async #putEach(base: Loaded, experts: readonly Loaded[], steps: readonly Step[]): Promise<void> {
    const { name, shape } = base.info;
    const named = experts.map((expert) => ({ name: expert.parent, stored: storedIn(expert) }));
    const sources = { weight: name, shape, base: storedIn(base), experts: named };
    for (const step of steps.filter((own) => this.lacks(name, own))) {
      for (const leaf of leavesOf(step)) {
        for (const expert of experts.keys()) {
          const own = this.#tensors.get(name) ?? new Map<string, DeviceTensor>();
          this.#tensors.set(name, own);
          const key = keyOf(leaf, step, expert);
          if (own.has(key)) continue;
          const values = await makeLeaf(leaf, step, sources, expert);
          own.set(key, await this.#device.upload(new Uint8Array(values.buffer), "f32", shape));
          this.#room -= values.byteLength;
        }
      }
    }
    if (this.#room >= 0) this.#staying.add(name);
  }

  /** Those of a merge by expert, in the order of the experts. */
  of(name: string, step: Step): readonly Readonly<Record<string, Expression>>[] {
    const leaves = leavesOf(step);
    if (leaves.length === 0) return [];
    const own = this.#tensors.get(name) ?? new Map<string, DeviceTensor>();
    const at = (leaf: Leaf, expert: number): DeviceTensor | undefined => own.get(keyOf(leaf, step, expert));
    const experts: Record<string, Expression>[] = [];
    while (leaves.every((leaf) => at(leaf, experts.length))) {
      experts.push(Object.fromEntries(leaves.map((leaf) => [leaf.name, input(at(leaf, experts.length)!)])));
    }
    return experts;
  }

  /** Takes leaves of weights from the device, unless there was room for them to stay. */
  dropPassing(names: readonly string[]): void {
    this.drop(names.filter((name) => !this.#staying.has(name)));
  }

  /** Takes the leaves of weights from the device. */
  drop(names: readonly string[]): void {
    for (const name of names) {
      const own = [...(this.#tensors.get(name)?.values() ?? [])];
      this.#device.free(...own);
      this.#room += own.reduce((sum, { dtype, shape }) => sum + this.#device.bytesOf({ dtype: dtype, shape }), 0);
      this.#tensors.delete(name);
      this.#staying.delete(name);
    }
  }
}

function keyOf(leaf: Leaf, step: Step, expert: number): string {
  return [leaf.name, expert, ...(leaf.isRandom ? [seedOf(step)] : [])].join(" ");
}
