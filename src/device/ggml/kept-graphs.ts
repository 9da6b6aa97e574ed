import type { GraphStructure, KeptGraph } from "./kept-graph.ts";

/** A pass over a generation has four kinds of stages, each for a part of the rows; the way back as many again. */
const KEPT = 16;

/** Graphs of a lane, for computations of their structure to come. */
export class KeptGraphs {
  /** Those that were used last stand last. */
  readonly #graphs: KeptGraph[] = [];

  has(computation: GraphStructure): boolean {
    return this.#graphs.some((graph) => graph.has(computation));
  }

  /** A graph for that, which is the caller's until it is put back. */
  take(computation: GraphStructure): KeptGraph | undefined {
    const place = this.#graphs.findLastIndex((graph) => graph.has(computation));
    return place < 0 ? undefined : this.#graphs.splice(place, 1)[0];
  }

  put(graph: KeptGraph): void {
    this.#graphs.push(graph);
    if (this.#graphs.length > KEPT) this.#graphs.shift()?.free();
  }

  clear(): void {
    for (const graph of this.#graphs.splice(0)) graph.free();
  }
}
