import type { GraphStructure, KeptComputation } from "./kept-computation.ts";

/** A pass over a generation has four kinds of stages, each for a part of the rows; the way back as many again. */
const KEPT = 16;

/** Of the nodes of all: a merge has some for each block of its elements, and those of a large layer take longer to compute than to build. */
const KEPT_BYTES = 2 ** 26;

/** Graphs of a lane, for computations of their structure to come. */
export class KeptGraphs {
  /** Those that were used last stand last. */
  readonly #graphs: KeptComputation[] = [];

  has(computation: GraphStructure): boolean {
    return this.#graphs.some((graph) => graph.has(computation));
  }

  /** A graph for that, which is the caller's until it is put back. */
  take(computation: GraphStructure): KeptComputation | undefined {
    const place = this.#graphs.findLastIndex((graph) => graph.has(computation));
    return place < 0 ? undefined : this.#graphs.splice(place, 1)[0];
  }

  put(graph: KeptComputation): void {
    if (graph.bytes > KEPT_BYTES) return graph.free();
    this.#graphs.push(graph);
    while (this.#graphs.length > KEPT || this.#bytes > KEPT_BYTES) this.#graphs.shift()?.free();
  }

  get #bytes(): number {
    return this.#graphs.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  clear(): void {
    for (const graph of this.#graphs.splice(0)) graph.free();
  }
}
