import { UserError } from "../../errors.ts";
import type { DeviceTensor } from "../device.ts";
import { type Expression, input, type Operation } from "../expression.ts";
import { substitute } from "../graph.ts";
import { structureOf } from "../structure.ts";
import type { GraphDevice } from "./build-graph.ts";
import { areKernelsWork, kernelsOf } from "./cuda/chain-kernels.ts";
import type { CompiledTexts } from "./cuda/compiled.ts";
import { KeptKernels } from "./cuda/kept-kernels.ts";
import type { GraphStructure, KeptComputation } from "./kept-computation.ts";
import { KeptGraph, type KeptGraphContext } from "./kept-graph.ts";
import type { Lane, Lanes } from "./lanes.ts";
import type { Ggml, Pointer } from "./library.ts";
import { whatGgmlSaid } from "./messages.ts";
import type { ProductLibrary } from "./products/product-library.ts";
import { findTensorFields, type TensorFields } from "./tensor-fields.ts";
import { outOfMemory, type TensorStore } from "./tensor-store.ts";

/** The device whose lanes compute. */
interface RunningDevice {
  /** For people. */
  readonly name: string;
  readonly ggml: Ggml;
  readonly store: TensorStore;
  readonly lanes: Lanes;
  readonly isCpu: boolean;
  readonly isCuda: boolean;
  readonly library: ProductLibrary | undefined;
  readonly fuses: GraphDevice["fuses"];
  /** What compiles kernels for elementwise operations alone, where something does. */
  readonly kernels: CompiledTexts | undefined;
}

/** Computes on the lanes of a device, by graphs that they keep for computations of one structure. */
export class GraphRunner {
  readonly #own: RunningDevice;
  readonly #fields: TensorFields;
  #peakBytes = 0;

  constructor(own: RunningDevice) {
    this.#own = own;
    this.#fields = findTensorFields(own.ggml, own.store.bufferType);
  }

  /** The most that tensors and work spaces have taken. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** Outputs that are kernels' work are never ggml's, whatever else is asked for: the others are made of them. */
  async run(outputs: readonly Expression[], computation: GraphStructure): Promise<DeviceTensor[]> {
    const isMade = this.#own.kernels ? areKernelsWork() : () => false;
    const isKernelsWork = (output: Expression): boolean => output.op !== "input" && isMade(output);
    const [made, others] = [outputs.filter(isKernelsWork), outputs.filter((output) => !isKernelsWork(output))];
    if (made.length === 0 || others.length === 0) return this.#compute(outputs, computation);
    const { separately } = computation;
    const computed = (own: readonly Expression[]): Promise<DeviceTensor[]> =>
      this.#compute(own, { ...structureOf(own), separately });
    const first = await computed(made);
    try {
      const inputs = new Map(first.flatMap((tensor, i) => (made[i] ? [[made[i], input(tensor)]] : [])));
      const second = await computed(substitute(others, inputs));
      return outputs.flatMap((output) => (isKernelsWork(output) ? first : second).splice(0, 1));
    } catch (error) {
      for (const tensor of first) this.#own.store.free(tensor);
      throw error;
    }
  }

  /** Waits for a lane, if possible one that has the graph. */
  #compute(outputs: readonly Expression[], computation: GraphStructure): Promise<DeviceTensor[]> {
    return this.#own.lanes.use(
      ({ graphs }) => graphs.has(computation),
      (lane) => this.#runOn(lane, outputs, computation),
    );
  }

  async #runOn(lane: Lane, outputs: readonly Expression[], computation: GraphStructure): Promise<DeviceTensor[]> {
    const { store, lanes } = this.#own;
    const kept = lane.graphs.take(computation);
    const graph = kept ?? (await this.#make(lane, outputs, computation));
    try {
      const { results, constants } = graph.bind(computation);
      try {
        if (!kept && graph instanceof KeptGraph) this.#planSpace(lane, graph);
        this.#peakBytes = Math.max(this.#peakBytes, store.bytes + lanes.bytes);
        await lane.thread.do(graph.works());
      } catch (error) {
        for (const tensor of results) store.free(tensor);
        throw error;
      } finally {
        for (const tensor of constants) store.free(tensor);
      }
      lane.graphs.put(graph);
      return results;
    } catch (error) {
      graph.free();
      throw error;
    }
  }

  async #make(lane: Lane, outputs: readonly Expression[], computation: GraphStructure): Promise<KeptComputation> {
    const { kernels: texts, store } = this.#own;
    const kernels = texts && kernelsOf(outputs);
    if (!kernels) return new KeptGraph(outputs, computation, this.#contextOf(lane));
    return KeptKernels.make(kernels, outputs, computation, { store, texts, thread: lane.thread });
  }

  #contextOf(lane: Lane): KeptGraphContext {
    const { ggml, store, isCpu, isCuda, library, fuses } = this.#own;
    return {
      ggml,
      fields: this.#fields,
      store,
      isCpu,
      isCuda,
      library,
      fuses,
      refuse: (lowered, operation) => this.#refuse(lane, lowered, operation),
      workOf: (graph) => ({
        calls: [{ place: ggml.compute.place, values: [lane.backend, graph] }],
        refusal: (status) => new Error(`ggml: computation failed with status ${String(status)}${whatGgmlSaid()}`),
      }),
    };
  }

  /** A GPU's backend ends the process over a node that it does not compute; the CPU's computes all. */
  #refuse({ backend }: Lane, lowered: Pointer, operation: Operation): void {
    const { name, ggml, isCpu } = this.#own;
    if (isCpu || ggml.supports(backend, lowered)) return;
    throw new UserError(
      `${name}: expected a device that computes ${operation}, found one that does not; choose another engine`,
    );
  }

  /** Where that enlarges the lane's work space, graphs that were planned for it as it was are lost. */
  #planSpace(lane: Lane, { graph }: KeptGraph): void {
    const { name, ggml, store, lanes } = this.#own;
    const { workspace, graphs } = lane;
    const { planGraph, allocGraph, workspaceSize, largestBuffer } = ggml;
    const sizeNow = (): number => Number(workspaceSize(workspace, 0));
    const size = sizeNow();
    const isAsItWas = (): boolean => sizeNow() === size && size <= Number(largestBuffer(store.bufferType));
    // Left to itself, ggml keeps the plan of the graph before for one of as many nodes of these sizes, whatever reads what.
    const plan = (): boolean =>
      Boolean(planGraph(workspace, graph)) &&
      Boolean(allocGraph(workspace, graph)) &&
      (isAsItWas() || store.leavesReserve);
    if (!plan() && !(store.giveWay() && plan())) {
      lanes.giveBack(lane);
      throw outOfMemory(name, "work space");
    }
    // In one piece, work space is made anew for more of it alone; in several, it may be for as much.
    if (!isAsItWas()) graphs.clear();
  }
}
