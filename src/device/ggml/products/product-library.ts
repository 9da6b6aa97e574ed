/** Matrix products by a library of the system, on tensors where they lie in memory. */
import type { Dtype } from "../../../tensor/dtype.ts";
import type { NativeWork } from "../c-functions.ts";

/** Formats of factors; sums and results are f32. */
export type FactorFormat = Exclude<Dtype, "f16">;

/** A matrix whose elements lie one after another: row by row, or column by column where it is stored transposed. */
export interface Factor {
  readonly address: bigint;
  readonly transposed: boolean;
}

/** left [rows, inner] times right [inner, columns], which is written to f32 [rows, columns], row by row. */
export interface Product {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly format: FactorFormat;
  readonly left: Factor;
  readonly right: Factor;
  readonly result: bigint;
}

/** Matrices that lie at any distance: how many elements are between two of them, and between those of a row and of a column. */
export interface SpreadFactor {
  readonly address: bigint;
  readonly strides: readonly number[];
}

/** What is done to each result on its way to memory: a function of it, or what it is added to or multiplied by. */
export type ResultStep =
  | { readonly op: "relu" | "silu" | "gelu tanh" | "gelu erf" }
  /** f32 [rows, columns], or of one row for all. */
  | { readonly op: "add" | "mul"; readonly address: bigint; readonly rows: number };

/** left [...outside, rows, inner] times right [...outside, inner, columns], written to [...outside, rows, columns], in order. */
export interface SpreadProducts extends Pick<Product, "rows" | "columns" | "inner" | "format" | "result"> {
  readonly outside: readonly number[];
  readonly left: SpreadFactor;
  readonly right: SpreadFactor;
  /** In their order; only matrices with nothing outside have any. */
  readonly steps?: readonly ResultStep[];
  /** To which results are rounded in the end; f32 unless given. */
  readonly resultFormat?: FactorFormat;
}

/** softmax(factor * x + mask) over the columns, in f32. */
export interface MaskedSoftmax extends Readonly<Record<"batch" | "heads" | "rows" | "columns" | "factor", number>> {
  /** f32 [batch, heads, rows, columns], which is overwritten. */
  readonly x: bigint;
  /** f32 [batch, rows, columns] of 0 or -Infinity, at least one 0 a row. */
  readonly mask: bigint;
  /** In the shape of x. */
  readonly result: bigint;
  /** To which results are rounded. */
  readonly resultFormat: FactorFormat;
}

/** x / sqrt(mean(x^2) + epsilon) over the columns in f32, times a row where there is one. */
export interface RowNorm extends Readonly<Record<"rows" | "columns" | "epsilon", number>> {
  /** f32 [rows, columns]. */
  readonly x: bigint;
  /** f32 [columns]. */
  readonly weight: bigint | undefined;
  /** In the shape of x. */
  readonly result: bigint;
  /** To which results are rounded. */
  readonly resultFormat: FactorFormat;
}

/** bf16 [rows, columns], element after element, brought to where each row begins `pitch` elements after the one before. */
export interface RowCopy extends Readonly<Record<"rows" | "columns" | "pitch", number>> {
  readonly x: bigint;
  readonly result: bigint;
}

export interface ProductLibrary {
  /** Library and version, for people and the journal: other libraries sum in another order. */
  readonly name: string;
  /** How many rows a product must have to be faster here than in ggml, by format; formats that it cannot multiply are absent. */
  readonly leastRows: Readonly<Partial<Record<FactorFormat, number>>>;
  /**
   * Calls that compute it on the thread that makes them. Same product, same bits; but those of a row may depend on how many rows
   * there are, as OpenBLAS' last ones do.
   */
  multiply(product: Product): NativeWork;
  /** The same for many matrices at once, in libraries that read them wherever they lie: a stride of each is 1. */
  multiplyAll?(products: SpreadProducts): NativeWork;
  softmax?(softmax: MaskedSoftmax): readonly NativeWork[];
  /** Same row, same bits; a row that it is multiplied by here or afterwards gives the same. */
  normalize?(norm: RowNorm): NativeWork;
  copyRows?(copy: RowCopy): NativeWork;
  /** Whether `multiplyAll` finishes products in bf16 by steps and rounding, faster than ggml does behind it. */
  readonly finishesBf16?: boolean;
}
