/** How each operation of the device interface is written in ggml, whose sizes run innermost first. */
import type { Shape } from "../../tensor/dtype.ts";
import type { DeviceDtype } from "../device.ts";
import type { Expression, Node, Operation } from "../expression.ts";
import type { Ggml, Pointer } from "./library.ts";

/** ggml's type numbers (enum ggml_type). */
export const typeNumber: Readonly<Record<DeviceDtype, number>> = { f32: 0, f16: 1, i32: 26, bf16: 30 };

/** ggml's rotary mode for the half-split layout (GGML_ROPE_TYPE_NEOX). */
const ROPE_HALF_SPLIT = 2;

/** Asks for accumulation in f32 (GGML_PREC_F32), which GPUs would do in f16 where an operand is. */
const PRECISION_F32 = 10;

/** What a lowering works with: the library, the context that owns new nodes, and the tensors made so far. */
export interface LoweringContext {
  readonly ggml: Ggml;
  readonly context: Pointer;
  readonly tensorOf: (node: Expression) => Pointer;
}

type Lower<Op extends Operation> = (node: Node<Op>, lowering: LoweringContext) => Pointer;

const lowerings: { readonly [Op in Exclude<Operation, "input">]: Lower<Op> } = {
  cast: (node, { ggml, context, tensorOf }) => {
    // Between the two half formats no backend converts directly.
    const narrow = node.x.dtype !== "f32" && node.dtype !== "f32";
    const x = narrow ? ggml.cast(context, tensorOf(node.x), typeNumber.f32) : tensorOf(node.x);
    return ggml.cast(context, x, typeNumber[node.dtype]);
  },
  reshape: (node, { ggml, context, tensorOf }) =>
    ggml.reshape4d(context, tensorOf(node.x), ...innermostFirst(node.shape)),
  add: (node, { ggml, context, tensorOf }) => ggml.add(context, tensorOf(node.x), tensorOf(node.y)),
  sub: (node, { ggml, context, tensorOf }) => ggml.sub(context, tensorOf(node.x), tensorOf(node.y)),
  mul: (node, { ggml, context, tensorOf }) => ggml.mul(context, tensorOf(node.x), tensorOf(node.y)),
  scale: (node, { ggml, context, tensorOf }) => ggml.scale(context, tensorOf(node.x), node.factor),
  silu: (node, { ggml, context, tensorOf }) => ggml.silu(context, tensorOf(node.x)),
  linear: (node, lowering) => {
    const [weight, x] = [lowering.tensorOf(node.weight), lowering.tensorOf(node.x)];
    // bf16 is always accumulated in f32, and asking for it would have CUDA widen the weight first.
    return node.weight.dtype === "bf16"
      ? lowering.ggml.mulMat(lowering.context, weight, x)
      : product(weight, x, lowering);
  },
  gatherRows: (node, { ggml, context, tensorOf }) => ggml.getRows(context, tensorOf(node.table), tensorOf(node.rows)),
  rmsNorm: (node, { ggml, context, tensorOf }) =>
    ggml.mul(context, ggml.rmsNorm(context, tensorOf(node.x), node.epsilon), tensorOf(node.weight)),
  rope: (node, { ggml, context, tensorOf }) => {
    const [width] = innermostFirst(node.shape);
    const operands = [tensorOf(node.x), tensorOf(node.positions), tensorOf(node.periods)];
    // With base 1 the angle is position / factor: the periods carry every variant of rotary scaling.
    return ggml.rope(context, ...operands, width, ROPE_HALF_SPLIT, 0, 1, 1, 0, 1, 0, 0);
  },
  attention: (node, lowering) => {
    const { ggml, context, tensorOf } = lowering;
    const [batch = 0, length = 0] = node.query.shape;
    const [width] = innermostFirst(node.shape);
    const headsOutside = (x: Expression): Pointer => ggml.permute(context, tensorOf(x), 0, 2, 1, 3);
    const mask = ggml.reshape4d(context, tensorOf(node.mask), length, length, 1, batch);
    // A view as the second operand takes the CPU three times as long; as the first one, Vulkan copies it to f16.
    const query = ggml.cont(context, headsOutside(node.query));
    const key = ggml.cont(context, headsOutside(node.key));
    const scores = product(key, query, lowering);
    const weights = ggml.softMax(context, scores, mask, node.factor, 0);
    const value = ggml.cont(context, ggml.permute(context, tensorOf(node.value), 1, 2, 0, 3));
    const mixed = ggml.permute(context, product(value, weights, lowering), 0, 2, 1, 3);
    return ggml.reshape2d(context, ggml.cont(context, mixed), width, batch * length);
  },
  logProbability: (node, { ggml, context, tensorOf }) => {
    // log softmax(x)[t] = x[t] - max x + log softmax(x)[argmax]; the last term never underflows.
    const [vocabulary, rows] = innermostFirst(node.logits.shape);
    const logits = tensorOf(node.logits);
    const pick = (matrix: Pointer, columns: Pointer): Pointer =>
      ggml.getRows(
        context,
        ggml.reshape4d(context, matrix, 1, vocabulary, rows, 1),
        ggml.reshape4d(context, columns, 1, rows, 1, 1),
      );
    const top = ggml.argmax(context, logits);
    const topShare = pick(ggml.softMax(context, logits, null, 1, 0), top);
    const belowTop = ggml.sub(context, pick(logits, tensorOf(node.targets)), pick(logits, top));
    return ggml.reshape4d(context, ggml.add(context, belowTop, ggml.log(context, topShare)), rows, 1, 1, 1);
  },
};

/** x times the transpose of a matrix, each row's sum in f32. */
function product(matrix: Pointer, x: Pointer, { ggml, context }: LoweringContext): Pointer {
  const node = ggml.mulMat(context, matrix, x);
  ggml.setPrecision(node, PRECISION_F32);
  return node;
}

/** Adds the ggml nodes of one expression whose operands are already there. */
export function lower(node: Exclude<Expression, { op: "input" }>, lowering: LoweringContext): Pointer {
  const lowerNode = lowerings[node.op] as (node: Expression, lowering: LoweringContext) => Pointer;
  return lowerNode(node, lowering);
}

/** The four sizes of a ggml tensor for a shape of at most four dimensions. */
export function innermostFirst(shape: Shape): [number, number, number, number] {
  if (shape.length > 4) throw new Error(`ggml: expected at most 4 dimensions, found [${shape.join(", ")}]`);
  const [n0 = 1, n1 = 1, n2 = 1, n3 = 1] = shape.toReversed();
  return [n0, n1, n2, n3];
}
