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
  /** Whether the device computes a node of ggml. */
  readonly supports: (node: Pointer) => boolean;
  /** Matrices that were transposed already, each copied once. */
  readonly transposed: Map<Expression, Pointer>;
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
  permute: (node, { ggml, context, tensorOf }) => {
    // ggml asks where each dimension goes; its dimensions run innermost first.
    const last = node.order.length - 1;
    const goesTo = [0, 1, 2, 3].map((axis) => (axis > last ? axis : last - node.order.indexOf(last - axis)));
    return ggml.cont(context, ggml.permute(context, tensorOf(node.x), ...goesTo));
  },
  add: (node, { ggml, context, tensorOf }) => ggml.add(context, tensorOf(node.x), tensorOf(node.y)),
  sub: (node, { ggml, context, tensorOf }) => ggml.sub(context, tensorOf(node.x), tensorOf(node.y)),
  mul: (node, { ggml, context, tensorOf }) => ggml.mul(context, tensorOf(node.x), tensorOf(node.y)),
  scale: (node, { ggml, context, tensorOf }) => ggml.scale(context, tensorOf(node.x), node.factor),
  sigmoid: (node, { ggml, context, tensorOf }) => ggml.sigmoid(context, tensorOf(node.x)),
  silu: (node, { ggml, context, tensorOf }) => ggml.silu(context, tensorOf(node.x)),
  sumRows: (node, { ggml, context, tensorOf }) => ggml.sumRows(context, tensorOf(node.x)),
  matmul: (node, lowering) => {
    // ggml sums over the innermost dimension of both factors.
    const { ggml, context, tensorOf } = lowering;
    const x = node.transposeX ? transposed(node.x, lowering) : tensorOf(node.x);
    const y = node.transposeY ? tensorOf(node.y) : transposed(node.y, lowering);
    const rounds = node.y.dtype === "f32" && node.precision !== "f32";
    const product = ggml.mulMat(context, rounds ? ggml.cast(context, y, typeNumber[node.precision]) : y, x);
    // bf16 is always accumulated in f32, and asking for it would have CUDA widen that factor first.
    if (node.precision !== "bf16") ggml.setPrecision(product, PRECISION_F32);
    return product;
  },
  gatherRows: (node, { ggml, context, tensorOf }) => ggml.getRows(context, tensorOf(node.table), tensorOf(node.rows)),
  scatterRows: (node, lowering) => {
    const { ggml, context, tensorOf } = lowering;
    const [width, count] = innermostFirst(node.shape);
    const [x, rows] = [tensorOf(node.x), tensorOf(node.rows)];
    // Only the shape of the last operand is read.
    const added = ggml.getRowsBack(context, x, rows, ggml.newTensor(context, typeNumber.f32, 2, [width, count]));
    if (lowering.supports(added)) return added;
    const places = hotPlaces(rows, count, node.x.shape[0] ?? 0, lowering);
    const turned = (matrix: Pointer): Pointer => ggml.cont(context, ggml.permute(context, matrix, 1, 0, 2, 3));
    return product(turned(x), turned(places), lowering);
  },
  oneHot: (node, lowering) => {
    const [width, n] = innermostFirst(node.shape);
    return hotPlaces(lowering.tensorOf(node.places), width, n, lowering);
  },
  divideByRms: (node, { ggml, context, tensorOf }) => {
    if (node.x === node.of) return ggml.rmsNorm(context, tensorOf(node.x), node.epsilon);
    const meanSquare = ggml.meanRows(context, ggml.square(context, tensorOf(node.of)));
    const rms = ggml.squareRoot(context, ggml.scaleBias(context, meanSquare, 1, node.epsilon));
    return ggml.div(context, tensorOf(node.x), rms);
  },
  rope: (node, { ggml, context, tensorOf }) => {
    const [width] = innermostFirst(node.shape);
    const operands = [tensorOf(node.x), tensorOf(node.positions), tensorOf(node.periods)];
    // With base 1 the angle is position / factor: the periods carry every variant of rotary scaling.
    return ggml.rope(context, ...operands, width, ROPE_HALF_SPLIT, 0, 1, 1, 0, 1, 0, 0);
  },
  softmax: (node, { ggml, context, tensorOf }) => {
    const [width, n, , batch] = innermostFirst(node.shape);
    const mask = node.mask ? ggml.reshape4d(context, tensorOf(node.mask), width, n, 1, batch) : null;
    return ggml.softMax(context, tensorOf(node.x), mask, node.factor, 0);
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

/** A matrix, or each of several, with rows and columns exchanged; one that several products read is copied once. */
function transposed(matrix: Expression, { ggml, context, tensorOf, transposed }: LoweringContext): Pointer {
  const known = transposed.get(matrix);
  if (known) return known;
  const copy = ggml.cont(context, ggml.permute(context, tensorOf(matrix), 1, 0, 2, 3));
  transposed.set(matrix, copy);
  return copy;
}

/** Zeros with a 1 in each of n rows, at its place among `width`. */
function hotPlaces(places: Pointer, width: number, n: number, { ggml, context }: LoweringContext): Pointer {
  // ggml copies whole rows: a single zero would be copied one by one.
  const filled = (value: number, ...sizes: number[]): Pointer =>
    ggml.fill(context, ggml.newTensor(context, typeNumber.f32, 4, sizes), value);
  const zeros = ggml.repeat(context, filled(0, width, 1, 1, 1), width, n, 1, 1);
  const single = ggml.reshape4d(context, zeros, 1, width, n, 1);
  const hot = ggml.setRows(context, single, filled(1, 1, 1, n, 1), ggml.reshape4d(context, places, 1, n, 1, 1));
  return ggml.reshape4d(context, hot, width, n, 1, 1);
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
