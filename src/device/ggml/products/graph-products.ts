/** The matrix products of a graph that a library computes. */
import { elementCount } from "../../../tensor/dtype.ts";
import type { Expression, Node } from "../../expression.ts";
import type { Ggml, Pointer } from "../library.ts";
import { innermostFirst, typeNumber } from "../types-and-sizes.ts";
import type { FactorFormat, Product, ProductLibrary } from "./product-library.ts";

/** The least operations of a product that are worth the calls on threads which it costs; ggml takes 50 to 100 us for them in f32. */
const LEAST_FLOP = 2 ** 22;

const bytesOf: Readonly<Record<FactorFormat, number>> = { f32: 4, bf16: 2 };

/** Sizes of the factors of each product of a node, and where ggml has them. */
interface Factors extends Pick<Product, "rows" | "columns" | "inner" | "format"> {
  readonly count: number;
  readonly left: { readonly tensor: Pointer; readonly transposed: boolean };
  readonly right: { readonly tensor: Pointer; readonly transposed: boolean };
}

/**
 * Remembers which nodes of one graph stand for products: ggml gives them and their factors places, and does not compute them.
 * Unlike ggml, a library reads a transposed factor where it lies.
 */
export class GraphProducts {
  readonly #ggml: Ggml;
  readonly #library: ProductLibrary;
  readonly #factors = new Map<Pointer, Factors>();
  readonly #converted = new Map<Pointer, Pointer>();

  constructor(ggml: Ggml, library: ProductLibrary) {
    this.#ggml = ggml;
    this.#library = library;
  }

  /** A node that stands for a product; nothing where ggml should compute it. */
  nodeFor(context: Pointer, node: Node<"matmul">, tensorOf: (node: Expression) => Pointer): Pointer {
    const format = this.#formatFor(node);
    const [rows = 0, columns = 0] = node.shape.slice(-2);
    const inner = node.x.shape.at(node.transposeX ? -2 : -1) ?? 0;
    if (!format || rows < (this.#library.leastRows[format] ?? Infinity)) return undefined;
    if (2 * rows * columns * inner < LEAST_FLOP) return undefined;
    const [left, right] = [node.x, node.y].map((factor) => this.#convert(context, factor, tensorOf(factor), format));
    const sizes = innermostFirst(node.shape);
    const stand: Pointer = this.#ggml.custom(context, typeNumber.f32, ...sizes, [left, right], 2, null, 1, null);
    this.#factors.set(stand, {
      rows,
      columns,
      inner,
      format,
      count: elementCount(node.shape.slice(0, -2)),
      left: { tensor: left, transposed: node.transposeX },
      right: { tensor: right, transposed: node.transposeY },
    });
    return stand;
  }

  /** The products that a node stands for, once the graph is allocated; undefined where ggml computes it. */
  of(node: Pointer): Product[] | undefined {
    const factors = this.#factors.get(node);
    if (!factors) return undefined;
    const { rows, columns, inner, format, count, left, right } = factors;
    const at = (tensor: Pointer, bytes: number, i: number): bigint =>
      (this.#ggml.dataOf(tensor) as bigint) + BigInt(i * bytes);
    const width = bytesOf[format];
    return Array.from({ length: count }, (_, i) => ({
      rows,
      columns,
      inner,
      format,
      left: { address: at(left.tensor, rows * inner * width, i), transposed: left.transposed },
      right: { address: at(right.tensor, inner * columns * width, i), transposed: right.transposed },
      result: at(node, rows * columns * 4, i),
    }));
  }

  /**
   * Libraries want factors of one format. Where this one multiplies bf16 an f32 factor is rounded, as ggml itself does; where
   * it does not, a bf16 factor is widened, which loses nothing.
   */
  #formatFor({ precision }: Node<"matmul">): FactorFormat | undefined {
    if (precision === "f16") return undefined;
    return this.#library.leastRows[precision] === undefined ? "f32" : precision;
  }

  /** A factor that several products read is converted once. */
  #convert(context: Pointer, { dtype }: Expression, tensor: Pointer, format: FactorFormat): Pointer {
    if (dtype === format) return tensor;
    const copy = this.#converted.get(tensor) ?? this.#ggml.cast(context, tensor, typeNumber[format]);
    this.#converted.set(tensor, copy);
    return copy;
  }
}
