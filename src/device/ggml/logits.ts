/** What is asked of the logits of each row. */
import type { Node } from "../expression.ts";
import type { Pointer } from "./library.ts";
import type { LoweringContext } from "./lowering.ts";
import { innermostFirst, typeNumber } from "./types-and-sizes.ts";

/** log softmax(x)[t] = x[t] - max x + log softmax(x)[argmax]; the last term never underflows. */
function logProbability(node: Node<"logProbability">, lowering: LoweringContext): Pointer {
  const { ggml, context, tensorOf } = lowering;
  const sizes = innermostFirst(node.logits.shape);
  const logits = tensorOf(node.logits);
  const pick = pickerOf(sizes, { ggml, context });
  const top = topOf(logits, lowering);
  const topShare = pick(ggml.softMax(context, logits, null, 1, 0), top);
  const belowTop = ggml.sub(context, pick(logits, tensorOf(node.targets)), pick(logits, top));
  return ggml.reshape4d(context, ggml.add(context, belowTop, ggml.log(context, topShare)), sizes[1], 1, 1, 1);
}

/** Of equal elements ggml's CPU finds the last and its GPUs any: so it is asked for the largest number of those that are largest. */
function argmax(node: Node<"argmax">, lowering: LoweringContext): Pointer {
  const { ggml, context, tensorOf } = lowering;
  const sizes = innermostFirst(node.x.shape);
  const [width, rows] = sizes;
  const x = tensorOf(node.x);
  const top = ggml.reshape4d(context, pickerOf(sizes, { ggml, context })(x, topOf(x, lowering)), 1, rows, 1, 1);
  const isBelow = ggml.step(context, ggml.scale(context, ggml.sub(context, x, top), -1));
  // 0 below, and at the top from the width down to 1.
  const ranks = ggml.mul(context, ggml.scaleBias(context, isBelow, 1, -1), ggml.arange(context, -width, 0, 1));
  return ggml.argmax(context, ranks);
}

/** The column of an element of each row that none exceeds. Of a row without numbers CUDA has none, -1, at which nothing can be read. */
function topOf(matrix: Pointer, { ggml, context, isCuda }: LoweringContext): Pointer {
  const top = ggml.argmax(context, matrix);
  if (!isCuda) return top;
  const columns = ggml.relu(context, ggml.cast(context, top, typeNumber.f32));
  return ggml.cast(context, columns, typeNumber.i32);
}

/** By operation. */
export const ofLogits = { logProbability, argmax };

/** One element of each row: of a matrix of these sizes those in columns i32 [rows]. */
function pickerOf(
  [width, rows]: readonly [number, number, number, number],
  { ggml, context }: Pick<LoweringContext, "ggml" | "context">,
): (matrix: Pointer, columns: Pointer) => Pointer {
  return (matrix, columns) =>
    ggml.getRows(
      context,
      ggml.reshape4d(context, matrix, 1, width, rows, 1),
      ggml.reshape4d(context, columns, 1, rows, 1, 1),
    );
}
