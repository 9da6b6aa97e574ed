/**
 * Products in f32 of few rows on CUDA: for these ggml has a kernel of its own that cuts both factors to TF32, whatever cuBLAS was
 * asked for.
 * @module
 */
import { elementCount } from "../../tensor/dtype.ts";
import type { Node } from "../expression.ts";
import type { Pointer } from "./library.ts";
import type { LoweringContext } from "./lowering.ts";
import { innermostFirst } from "./types-and-sizes.ts";

/** Of fewer rows it multiplies each in f32, and leaves more to cuBLAS. */
const CUT = { least: 4, most: 16 };

/** That kernel takes numbers of terms and of columns that are multiples of it. */
const TILE = 32;

/** The most matrices of a stack that are padded in one node: blocks of a grid. */
const MOST_MATRICES = 2 ** 16 - 1;

/** Whether ggml's CUDA backend would cut the factors of a product. */
export function isCut({ x, transposeX, precision, shape }: Node<"matmul">): boolean {
  const [rows = 0, columns = 0] = shape.slice(-2);
  const terms = x.shape.at(transposeX ? -2 : -1) ?? 0;
  const isOfItsSize = rows >= CUT.least && rows <= CUT.most && terms % TILE === 0 && columns % TILE === 0;
  return precision === "f32" && isOfItsSize && elementCount(shape.slice(0, -2)) <= MOST_MATRICES;
}

/** The product of as many rows as cuBLAS is left, without those that were added. `x` has rows of terms, one after the other. */
export function withMoreRows(
  { shape }: Node<"matmul">,
  x: Pointer,
  multiply: (x: Pointer) => Pointer,
  { ggml, context }: Pick<LoweringContext, "ggml" | "context">,
): Pointer {
  const [columns, rows, count, outermost] = innermostFirst(shape);
  const more = CUT.most + 1;
  const product = multiply(ggml.pad(context, x, 0, 0, 0, more - rows, 0, 0, 0, 0));
  const rowBytes = 4 * columns;
  const strides = [rowBytes, more * rowBytes, count * more * rowBytes];
  return ggml.cont(context, ggml.view4d(context, product, columns, rows, count, outermost, ...strides, 0));
}
