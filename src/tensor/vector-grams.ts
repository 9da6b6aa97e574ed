/** Lengths and angles of the vectors that a weight of base and experts is divided into: its rows, or its columns. */
import { setImmediate } from "node:timers/promises";
import { bytesPerElement, elementCount, type Shape } from "./dtype.ts";
import type { Gram } from "./gram.ts";
import { copyElements, type StoredValues } from "./stored-values.ts";
import { BLOCK, ColumnProducts, InnerProducts } from "./wasm/inner-products.ts";

/** Rows are what the last dimension has, columns what the first has; of a matrix both are what they are called. */
export type Vectors = "rows" | "columns";

/** Elements of each tensor that are read at once. */
const PIECE = 64 * BLOCK;
/** Pieces after which the event loop gets its turn. */
const PIECES = 32;

/** The Gram matrices of all vectors of a weight, in their order. */
export class VectorGrams {
  /** That of one number for each vector, which repeats to the weight's. */
  readonly shape: Shape;
  readonly parents: number;
  /** Of each vector the lower half of the matrix, row by row. */
  readonly #products: Float64Array;

  constructor(shape: Shape, parents: number) {
    this.shape = shape;
    this.parents = parents;
    this.#products = new Float64Array((elementCount(shape) * parents * (parents + 1)) / 2);
  }

  get count(): number {
    return elementCount(this.shape);
  }

  at(vector: number): Gram {
    const places = Array.from({ length: this.parents }, (_, i) => i);
    return places.map((i) => places.map((j) => this.#products[this.#placeOf(vector, i, j)] ?? Number.NaN));
  }

  /** Takes what is known of a vector: the product of two parents. */
  put(vector: number, productOf: (i: number, j: number) => number): void {
    for (let i = 0; i < this.parents; i += 1)
      for (let j = 0; j <= i; j += 1) this.#products[this.#placeOf(vector, i, j)] = productOf(i, j);
  }

  #placeOf(vector: number, i: number, j: number): number {
    const row = Math.max(i, j);
    return (vector * this.parents * (this.parents + 1)) / 2 + (row * (row + 1)) / 2 + Math.min(i, j);
  }
}

/**
 * The Gram matrices of the vectors of one weight of base and experts, all of a shape of two dimensions or more. Sums are those
 * of doubles in a fixed order, as of a whole tensor. About two CPU-nanoseconds an element and parent, five in rows of 64.
 */
export async function vectorGramsOf(
  vectors: Vectors,
  shape: Shape,
  base: StoredValues,
  experts: readonly StoredValues[],
): Promise<VectorGrams> {
  const parents = [base, ...experts];
  const along = vectors === "rows" ? shape.length - 1 : 0;
  const grams = new VectorGrams(
    shape.map((size, axis) => (axis === along ? 1 : size)),
    parents.length,
  );
  const width = vectors === "rows" ? (shape.at(-1) ?? 1) : grams.count;
  await (vectors === "rows" ? addRows : addColumns)(grams, parents, (visit) =>
    inLines(parents, elementCount(shape), width, visit),
  );
  return grams;
}

/** Is told of elements of all parents that stand one behind the other in a line: up to a block of them, and where they are. */
type Visit = (tensors: readonly Uint8Array[], first: number, count: number, line: number, column: number) => void;

async function inLines(parents: readonly StoredValues[], elements: number, width: number, visit: Visit): Promise<void> {
  const rooms = parents.map(({ dtype }) => new Uint8Array(PIECE * bytesPerElement[dtype]));
  for (let start = 0, piece = 0; start < elements; start += PIECE, piece += 1) {
    if (piece % PIECES === 0) await setImmediate();
    const length = Math.min(PIECE, elements - start);
    const tensors = rooms.map((room, i) => room.subarray(0, length * bytesPerElement[parents[i]!.dtype]));
    for (const [i, parent] of parents.entries()) copyElements(parent, start, tensors[i]!);
    for (let first = 0; first < length;) {
      const line = Math.floor((start + first) / width);
      const column = start + first - line * width;
      const count = Math.min(BLOCK, length - first, width - column);
      visit(tensors, first, count, line, column);
      first += count;
    }
  }
}

type Summing = (
  grams: VectorGrams,
  parents: readonly StoredValues[],
  read: (visit: Visit) => Promise<void>,
) => Promise<void>;

const addRows: Summing = async (grams, parents, read) => {
  using products = new InnerProducts(parents.map(({ dtype }) => dtype));
  let current = 0;
  const finish = (): void => {
    grams.put(current, (i, j) => products.at(i, j));
    products.clear();
  };
  await read((tensors, first, count, line) => {
    if (line !== current) finish();
    current = line;
    products.add(tensors, first, count);
  });
  if (grams.count > 0) finish();
};

const addColumns: Summing = async (grams, parents, read) => {
  const dtypes = parents.map(({ dtype }) => dtype);
  using products = new ColumnProducts(dtypes, grams.count);
  await read((tensors, first, count, _, column) => products.add(tensors, first, count, column));
  const sums = parents.map((_, i) => parents.slice(0, i + 1).map((__, j) => products.sums(i, j)));
  for (let column = 0; column < grams.count; column += 1) grams.put(column, (i, j) => sums[i]![j]![column]!);
};
