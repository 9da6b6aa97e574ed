/** How a library computes a product, and which ones are worth its calls. */
import { elementCount } from "../../../tensor/dtype.ts";
import type { Expression, Node } from "../../expression.ts";
import type { NativeWork } from "../c-functions.ts";
import { type FinishedProduct, finishedProducts } from "./epilogues.ts";
import { type GatedProduct, gatedProducts } from "./gates.ts";
import type { FactorFormat, ProductLibrary } from "./product-library.ts";
import { GraphReaders } from "./graph-readers.ts";
import { type LibraryNorm, libraryNorms } from "./norms.ts";
import { type LibrarySoftmax, librarySoftmaxes } from "./softmaxes.ts";
import { spreadOf } from "./spread.ts";

/** The least operations of a product that are worth the calls which it costs; ggml takes 50 to 100 us for them in f32. */
const LEAST_FLOP = 2 ** 22;

const bytesOf: Readonly<Record<FactorFormat, number>> = { f32: 4, bf16: 2 };

/** Where the factors and the result lie. */
type Addresses = Readonly<Record<"left" | "right" | "result", bigint>>;

/** How a library would compute a node. */
export interface ProductPlan {
  readonly left: Expression;
  readonly right: Expression;
  /** Of one call. */
  readonly flop: number;
  readonly works: (addresses: Addresses, format: FactorFormat) => readonly NativeWork[];
}

/** Nodes that a library computes other than as single products, by the last node of each. */
export interface LibraryPlan {
  readonly finished: ReadonlyMap<Expression, FinishedProduct>;
  readonly gated: ReadonlyMap<Expression, GatedProduct>;
  readonly softmaxes: ReadonlyMap<Expression, LibrarySoftmax>;
  readonly norms: ReadonlyMap<Expression, LibraryNorm>;
}

export function planForLibrary(
  order: readonly Expression[],
  outputs: readonly Expression[],
  library: ProductLibrary | undefined,
): LibraryPlan {
  if (!library) return { finished: new Map(), gated: new Map(), softmaxes: new Map(), norms: new Map() };
  const inBf16 = new Set<Expression>(
    order.filter(
      (node) =>
        node.op === "matmul" &&
        formatFor(library, node) === "bf16" &&
        isWorthIt(library, node, "bf16", planFor(library, node)),
    ),
  );
  const finishes = (node: Expression): boolean =>
    node.shape.length === 2 && library.finishesBf16 === true && inBf16.has(node);
  const readers = new GraphReaders(order, outputs, (node) => inBf16.has(node));
  const finished = finishedProducts(order, readers, finishes);
  const taken = new Set([...finished.values()].flatMap(({ inner, end }) => [...inner, end]));
  const isFree = (node: Expression): boolean => !taken.has(node);
  return {
    finished,
    gated: library.copyRows ? gatedProducts(finished, readers) : new Map<Expression, GatedProduct>(),
    softmaxes: library.softmax ? librarySoftmaxes(order, readers) : new Map<Expression, LibrarySoftmax>(),
    norms: library.normalize ? libraryNorms(order, readers, isFree) : new Map<Expression, LibraryNorm>(),
  };
}

/**
 * Libraries want factors of one format. Where this one multiplies bf16 an f32 factor is rounded, as ggml itself does; where
 * it does not, a bf16 factor is widened, which loses nothing.
 */
export function formatFor(library: ProductLibrary, { precision }: Node<"matmul">): FactorFormat | undefined {
  if (precision === "f16") return undefined;
  return library.leastRows[precision] === undefined ? "f32" : precision;
}

export function isWorthIt(
  library: ProductLibrary,
  { shape }: Expression,
  format: FactorFormat,
  { flop }: ProductPlan,
): boolean {
  const [rows = 0] = shape.slice(-2);
  return rows >= (library.leastRows[format] ?? Infinity) && flop >= LEAST_FLOP;
}

export function planFor(library: ProductLibrary, node: Node<"matmul">): ProductPlan {
  return planForAll(library, node) ?? planForEach(library, node);
}

/** All products of a node in one call; undefined for a library that has none, and for factors that do not suit. */
function planForAll(library: ProductLibrary, node: Node<"matmul">): ProductPlan | undefined {
  const multiplyAll = library.multiplyAll?.bind(library);
  const spread = multiplyAll && spreadOf(node);
  if (!spread) return undefined;
  const { left, right, ...sizes } = spread;
  return {
    left: left.tensor,
    right: right.tensor,
    flop: 2 * sizes.rows * sizes.columns * sizes.inner * elementCount(sizes.outside),
    works: ({ left: a, right: b, result }, format) => {
      const factors = { left: { address: a, strides: left.strides }, right: { address: b, strides: right.strides } };
      return [multiplyAll({ ...sizes, ...factors, format, result })];
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
    works: ({ left, right, result }, format) => {
      const width = bytesOf[format];
      return Array.from({ length: count }, (_, i) =>
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
