import type { DeviceTensor } from "../device.ts";
import type { Expression, Node, Operation } from "../expression.ts";
import { isSameStructure, type Structure } from "../structure.ts";
import { buildGraph, type GraphDevice, planGraph } from "./build-graph.ts";
import type { NativeWork } from "./c-functions.ts";
import { ConstantsBlock } from "./constants-block.ts";
import { GraphMemory, type NodeViews } from "./graph-memory.ts";
import type { GraphStructure, KeptComputation, StoredTensors } from "./kept-computation.ts";
import type { Ggml, Pointer } from "./library.ts";
import { GraphProducts } from "./products/graph-products.ts";
import { type GraphPieces, piecesOf } from "./products/pieces.ts";
import type { TensorFields } from "./tensor-fields.ts";
import type { TensorBuffer } from "./spare-buffers.ts";
import type { TensorStore } from "./tensor-store.ts";

/** What graphs are made with. */
export interface KeptGraphContext extends GraphDevice {
  readonly ggml: Ggml;
  readonly fields: TensorFields;
  readonly store: TensorStore;
  /** Throws for a node that the device does not compute. */
  readonly refuse: (lowered: Pointer, operation: Operation) => void;
  /** The computation of a graph of ggml as a whole. */
  readonly workOf: (graph: Pointer) => NativeWork;
}

/** A node that is given memory for each run, and what it is: an input, a constant, or the output at a place. */
type Root = readonly [Pointer, DeviceTensor | Node<"constant"> | number];

/** A tensor that each run has memory of its own for. */
interface StoredNode {
  readonly nodes: NodeViews;
  readonly bytes: number;
}

/**
 * A graph of ggml for all computations of one structure: each brings it to its own tensors, constants and factors. Its nodes and
 * the plan of its work space stay, as long as that does.
 */
export class KeptGraph implements KeptComputation {
  readonly graph: Pointer;
  readonly #kind: Pick<GraphStructure, "code" | "separately">;
  readonly #outputs: readonly DeviceTensor[];
  readonly #context: KeptGraphContext;
  readonly #memory: GraphMemory;
  readonly #products: GraphProducts | undefined;
  readonly #inputs: readonly NodeViews[];
  readonly #constants: ConstantsBlock;
  readonly #results: readonly StoredNode[];
  readonly #scales: readonly (readonly Pointer[])[];
  #pieces: GraphPieces | undefined;

  constructor(outputs: readonly Expression[], computation: GraphStructure, context: KeptGraphContext) {
    const { ggml, fields, store, library } = context;
    const { code, separately, ...given } = computation;
    const plan = planGraph(outputs, separately ? { ...context, fuses: undefined } : context);
    this.#context = context;
    this.#kind = { code, separately };
    this.#outputs = outputs.map(({ dtype, shape }) => ({ dtype, shape }));
    this.#products = library && new GraphProducts(ggml, library);
    // One more for the block of constants.
    this.#memory = new GraphMemory(ggml, fields, store.contextBytes(plan.capacity + 1, plan.capacity));
    try {
      const built = buildGraph(plan, { ...context, context: this.#memory.context, products: this.#products });
      this.graph = built.graph;
      const constants = given.constants.map((constant) => [found(built.constants.get(constant)), constant] as const);
      const results = built.results.map((node, place): Root => [node, place]);
      const roots = [...built.inputs, ...constants, ...results];
      const placed = this.#memory.placed(new Map<Pointer, Root[1]>(roots));
      const nodesOf = (key: Root[1]): NodeViews => found(placed.get(key));
      this.#inputs = given.tensors.map(nodesOf);
      this.#constants = new ConstantsBlock(
        ggml,
        this.#memory,
        given.constants.map((constant) => ({ nodes: nodesOf(constant), shape: constant.shape })),
      );
      this.#results = results.map(([node, place]) => ({ nodes: nodesOf(place), bytes: store.bytesFor(node) }));
      this.#scales = given.scales.map((scale) => found(built.scales.get(scale)));
    } catch (error) {
      this.#memory.free();
      throw error;
    }
  }

  has(computation: GraphStructure): boolean {
    return this.#kind.separately === computation.separately && isSameStructure(this.#kind, computation);
  }

  bind({ tensors, constants, scales }: Structure): StoredTensors {
    const { store } = this.#context;
    const stored: DeviceTensor[] = [];
    const add = (tensor: DeviceTensor, bytes: number): TensorBuffer => {
      const place = store.add(tensor, bytes);
      stored.push(tensor);
      return place;
    };
    try {
      for (const [i, tensor] of tensors.entries()) this.#memory.place(found(this.#inputs[i]), store.placeOf(tensor));
      const own = constants.length > 0 ? this.#constants : undefined;
      own?.bind(add(own.tensor, own.bytes), constants);
      const results = this.#outputs.map(({ dtype, shape }, i) => {
        const [tensor, { nodes, bytes }] = [{ dtype, shape }, found(this.#results[i])];
        this.#memory.place(nodes, add(tensor, bytes));
        return tensor;
      });
      for (const [i, { factor }] of scales.entries())
        for (const node of found(this.#scales[i])) this.#memory.setFactor(node, factor);
      return { results, constants: own ? [own.tensor] : [] };
    } catch (error) {
      for (const tensor of stored) store.free(tensor);
      throw error;
    }
  }

  works(): readonly NativeWork[] {
    this.#pieces ??= this.#divide();
    return this.#pieces.works();
  }

  /** Of its nodes. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  free(): void {
    this.#products?.free();
    this.#pieces?.free();
    this.#memory.free();
  }

  #divide(): GraphPieces {
    const { ggml, store, workOf } = this.#context;
    const products = this.#products;
    if (products) {
      const dataOf = (node: Pointer): bigint => this.#memory.dataOf(node);
      return piecesOf(this.graph, { ggml, store, products, dataOf, workOf });
    }
    const works = [workOf(this.graph)];
    return { works: () => works, free: () => {} };
  }
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("ggml: a graph lacks a node of what it reads, computes or scales by");
  return value;
}
