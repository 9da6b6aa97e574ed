/** The matrix products of a graph that a library computes. */
import { elementCount } from "../../../tensor/dtype.ts";
import type { Expression, Node } from "../../expression.ts";
import type { Ggml, Pointer } from "../library.ts";
import { innermostFirst, typeNumber } from "../types-and-sizes.ts";
import type { FactorFormat, ProductLibrary } from "./product-library.ts";
import { spreadOf } from "./spread.ts";

/** The least operations of a product that are worth the calls on threads which it costs; ggml takes 50 to 100 us for them in f32. */
const LEAST_FLOP = 2 ** 22;

const bytesOf: Readonly<Record<FactorFormat, number>> = { f32: 4, bf16: 2 };

/** A call of the library on a thread of its own. */
export type LibraryCall = () => Promise<void>;

/** Where the factors and the result lie. */
type Addresses = Readonly<Record<"left" | "right" | "result", bigint>>;

/** How a library would compute a node. */
interface ProductPlan {
  readonly left: Expression;
  readonly right: Expression;
  /** Of one call. */
  readonly flop: number;
  readonly calls: (addresses: Addresses, format: FactorFormat) => readonly LibraryCall[];
}

/**
 * Remembers which nodes of one graph stand for products: ggml gives them and their factors places, and does not compute them.
 * Unlike ggml, a library reads a transposed factor where it lies, and one that takes many products at once a permuted one too.
 */
export class GraphProducts {
  readonly #ggml: Ggml;
  readonly #library: ProductLibrary;
  readonly #calls = new Map<Pointer, () => readonly LibraryCall[]>();
  readonly #converted = new Map<Pointer, Pointer>();

  constructor(ggml: Ggml, library: ProductLibrary) {
    this.#ggml = ggml;
    this.#library = library;
  }

  /** A node that stands for a product; nothing where ggml should compute it. */
  nodeFor(context: Pointer, node: Node<"matmul">, tensorOf: (node: Expression) => Pointer): Pointer {
    const format = this.#formatFor(node);
    const plan = planForAll(this.#library, node) ?? planForEach(this.#library, node);
    const [rows = 0] = node.shape.slice(-2);
    if (!format || rows < (this.#library.leastRows[format] ?? Infinity) || plan.flop < LEAST_FLOP) return undefined;
    const factors = [plan.left, plan.right].map((factor) => this.#convert(context, factor, tensorOf(factor), format));
    const sizes = innermostFirst(node.shape);
    const result: Pointer = this.#ggml.custom(context, typeNumber.f32, ...sizes, factors, 2, null, 1, null);
    this.#calls.set(result, () => {
      const [left = 0n, right = 0n, own = 0n] = [...factors, result].map(
        (tensor) => this.#ggml.dataOf(tensor) as bigint,
      );
      return plan.calls({ left, right, result: own }, format);
    });
    return result;
  }

  /** The calls that compute a node, once the graph is allocated; undefined where ggml computes it. */
  of(node: Pointer): readonly LibraryCall[] | undefined {
    return this.#calls.get(node)?.();
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

/** All products of a node in one call; undefined for a library that has none, and for factors that do not suit. */
function planForAll(library: ProductLibrary, node: Node<"matmul">): ProductPlan | undefined {
  const spread = library.multiplyAll && spreadOf(node);
  if (!spread) return undefined;
  const { left, right, ...sizes } = spread;
  return {
    left: left.tensor,
    right: right.tensor,
    flop: 2 * sizes.rows * sizes.columns * sizes.inner * elementCount(sizes.outside),
    calls: ({ left: a, right: b, result }, format) => {
      const factors = { left: { address: a, strides: left.strides }, right: { address: b, strides: right.strides } };
      return [async () => library.multiplyAll?.({ ...sizes, ...factors, format, result })];
    },
  };
}

/** One product after the other, of factors whose elements lie in order. */
function planForEach(library: ProductLibrary, { x, y, transposeX, transposeY, shape }: Node<"matmul">): ProductPlan {
  const [rows = 0, columns = 0] = shape.slice(-2);
  const inner = x.shape.at(transposeX ? -2 : -1) ?? 0;
  const count = elementCount(shape.slice(0, -2));
  return {
    left: x,
    right: y,
    flop: 2 * rows * columns * inner,
    calls: ({ left, right, result }, format) => {
      const width = bytesOf[format];
      return Array.from(
        { length: count },
        (_, i) => async () =>
          library.multiply({
            rows,
            columns,
            inner,
            format,
            left: { address: after(left, i * rows * inner * width), transposed: transposeX },
            right: { address: after(right, i * inner * columns * width), transposed: transposeY },
            result: after(result, i * rows * columns * 4),
          }),
      );
    },
  };
}

function after(address: bigint, bytes: number): bigint {
  return address + BigInt(bytes);
}
