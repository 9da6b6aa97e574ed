import type { Expression, Node } from "../../expression.ts";
import { operands } from "../../graph.ts";

/** Who reads what in a graph. */
export class GraphReaders {
  readonly #readers = new Map<Expression, Expression[]>();
  readonly #asked: ReadonlySet<Expression>;
  readonly #rounds: (product: Node<"matmul">) => boolean;

  /** `rounds` tells of which products a library rounds both factors to bf16. */
  constructor(
    order: readonly Expression[],
    outputs: readonly Expression[],
    rounds: (product: Node<"matmul">) => boolean,
  ) {
    this.#asked = new Set(outputs);
    this.#rounds = rounds;
    for (const node of order) {
      for (const operand of new Set(operands(node))) {
        const known = this.#readers.get(operand);
        if (known) known.push(node);
        else this.#readers.set(operand, [node]);
      }
    }
  }

  /** The one node that reads another; undefined where several do, or it is asked for. */
  only(node: Expression): Expression | undefined {
    const [reader, ...others] = this.#asked.has(node) ? [] : (this.#readers.get(node) ?? []);
    return others.length > 0 ? undefined : reader;
  }

  /** Whether all that read a node round it to bf16. */
  round(node: Expression): boolean {
    const readers = this.#asked.has(node) ? [] : (this.#readers.get(node) ?? []);
    const isRounding = (reader: Expression): boolean =>
      reader.op === "reshape"
        ? this.round(reader)
        : reader.op === "matmul" && reader.y !== node && this.#rounds(reader);
    return readers.length > 0 && readers.every(isRounding);
  }
}
