import type { Checkpoint } from "../src/checkpoint/checkpoint.ts";
import type { Device, DeviceTensor } from "../src/device/device.ts";
import { ParentReader } from "../src/evaluate/parent-reader.ts";
import type { ParentTensors } from "../src/evaluate/parent-weights.ts";
import type { Route } from "../src/evaluate/route.ts";
import type { Merging } from "../src/evaluate/stage-run.ts";
import type { Model } from "../src/model/architecture.ts";

/** The parents' first layer and embedding on a device, in the place of all their layers and of the head: nothing is read while it is computed with them. */
export class RepeatedLayer implements AsyncDisposable {
  readonly parents: Merging["parents"];
  readonly #device: Device;
  readonly #tensors: ReadonlyMap<string, Readonly<Record<string, DeviceTensor>>>;

  static async load(
    device: Device,
    checkpoints: ReadonlyMap<string, Checkpoint>,
    { stages }: Model,
  ): Promise<RepeatedLayer> {
    const reader = new ParentReader(device, checkpoints);
    const names = stages.slice(0, 2).flatMap(({ weights }) => Object.values(weights).map(({ name }) => name));
    const tensors = new Map<string, Readonly<Record<string, DeviceTensor>>>();
    const { signal } = new AbortController();
    for (const name of names) tensors.set(name, await reader.bring(name, async () => {}, signal));
    return new RepeatedLayer(device, tensors);
  }

  private constructor(device: Device, tensors: ReadonlyMap<string, Readonly<Record<string, DeviceTensor>>>) {
    this.#device = device;
    this.#tensors = tensors;
    const load = async (route: Route, index: number): Promise<ParentTensors> =>
      new Map((route.stages[index] ?? []).map((name) => [name, tensors.get(standInFor(name)) ?? {}]));
    const none = {
      turn: <T>(work: () => Promise<T>): Promise<T> => work(),
      known: () => ({}),
      gatheredOn: () => new Set(),
      blocksOf: (_: string, [rows = 1]: readonly number[]) => [{ from: 0, count: rows }],
      release: () => {},
      releaseAll: async () => {},
      makeRoom: () => {},
      giveWay: () => false,
    };
    this.parents = { ...none, load } as unknown as Merging["parents"];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const own of this.#tensors.values()) this.#device.free(...Object.values(own));
  }
}

/** A weight of the same shape. */
function standInFor(name: string): string {
  if (name === "lm_head.weight") return "model.embed_tokens.weight";
  if (name === "model.norm.weight") return "model.layers.0.input_layernorm.weight";
  return name.replace(/\.layers\.\d+\./, ".layers.0.");
}
