/** How each operation of the device interface is written in ggml, whose sizes run innermost first. */
import { bytesPerElement, elementCount, sameShape, type Dtype } from "../../tensor/dtype.ts";
import type { Expression, Node, Operation } from "../expression.ts";
import { activations } from "./activations.ts";
import { isCut, withMoreRows } from "./few-rows.ts";
import type { Ggml, Pointer } from "./library.ts";
import { ofLogits } from "./logits.ts";
import type { GraphProducts } from "./products/graph-products.ts";
import { sumOfRows } from "./sum-of-rows.ts";
import { transpose } from "./transpose.ts";
import { innermostFirst, typeNumber } from "./types-and-sizes.ts";

/** ggml's rotary mode for the half-split layout (GGML_ROPE_TYPE_NEOX). */
const ROPE_HALF_SPLIT = 2;

/** Asks for accumulation in f32 (GGML_PREC_F32), which GPUs would do in f16 where an operand is. */
const PRECISION_F32 = 10;

/** Sums over fewer factors, as in attention, take a CPU less time than rounding these does. */
const LEAST_ROUNDED = 512;

/** What a lowering works with: the library, the context that owns new nodes, and the tensors made so far. */
export interface LoweringContext {
  readonly ggml: Ggml;
  readonly context: Pointer;
  readonly tensorOf: (node: Expression) => Pointer;
  /** The best operations for a purpose differ. */
  readonly isCpu: boolean;
  readonly isCuda: boolean;
  /** The number one, f32 [1]. */
  readonly one: () => Pointer;
  /** What a library multiplies, where there is one. */
  readonly products: GraphProducts | undefined;
  /** Matrices that were transposed already, each copied once. */
  readonly transposed: Map<Expression, Pointer>;
  /** Masks in f16, each rounded once. */
  readonly halfMasks: Map<Expression, Pointer>;
  /** What became of scales, whose factors are set anew when a graph is computed again. */
  readonly scales: Map<Node<"scale">, Pointer[]>;
}

type Lower<Op extends Operation> = (node: Node<Op>, lowering: LoweringContext) => Pointer;

const lowerings: { readonly [Op in Exclude<Operation, "input" | "constant">]: Lower<Op> } = {
  cast: (node, { ggml, context, tensorOf }) => {
    // Between the two half formats no backend converts directly.
    const narrow = node.x.dtype !== "f32" && node.dtype !== "f32";
    const x = narrow ? ggml.cast(context, tensorOf(node.x), typeNumber.f32) : tensorOf(node.x);
    return ggml.cast(context, x, typeNumber[node.dtype]);
  },
  reshape: (node, { ggml, context, tensorOf }) =>
    ggml.reshape4d(context, tensorOf(node.x), ...innermostFirst(node.shape)),
  permute: (node, { ggml, context, tensorOf, isCuda, one }) => {
    // ggml asks where each dimension goes; its dimensions run innermost first.
    const last = node.order.length - 1;
    const goesTo = [0, 1, 2, 3].map((axis) => (axis > last ? axis : last - node.order.indexOf(last - axis)));
    const permuted = ggml.permute(context, tensorOf(node.x), ...goesTo);
    // CUDA's copy divides numbers of 64 bits for each element, which takes longer than memory does; its product does not.
    const isOfRows = node.order.at(-1) === last;
    return isCuda && isOfRows ? ggml.mul(context, permuted, one()) : ggml.cont(context, permuted);
  },
  add: (node, { ggml, context, tensorOf }) => ggml.add(context, tensorOf(node.x), tensorOf(node.y)),
  sub: (node, { ggml, context, tensorOf }) => ggml.sub(context, tensorOf(node.x), tensorOf(node.y)),
  mul: (node, { ggml, context, tensorOf }) => ggml.mul(context, tensorOf(node.x), tensorOf(node.y)),
  div: (node, { ggml, context, tensorOf }) => ggml.div(context, tensorOf(node.x), tensorOf(node.y)),
  scale: (node, { ggml, context, tensorOf, scales }) => {
    const scaled = ggml.scale(context, tensorOf(node.x), node.factor);
    const known = scales.get(node);
    if (known) known.push(scaled);
    else scales.set(node, [scaled]);
    return scaled;
  },
  sumTo: (node, { ggml, context, tensorOf, isCuda }) => {
    const sizes = innermostFirst(node.shape);
    const isRow = sizes[0] === 1 && node.x.shape.at(-1) !== 1;
    const rows = isRow ? ggml.sumRows(context, tensorOf(node.x)) : tensorOf(node.x);
    if (sameShape(node.shape.slice(0, -1), node.x.shape.slice(0, -1))) return rows;
    if (isCuda && !isRow && node.shape.length === 2)
      return sumOfRows(rows, { rows: node.x.shape[0] ?? 0, width: sizes[0] }, { ggml, context });
    // Only the shape of the last operand is read, here and below.
    return ggml.repeatBack(context, rows, ggml.newTensor(context, typeNumber.f32, 4, sizes));
  },
  silu: (node, { ggml, context, tensorOf }) => ggml.silu(context, tensorOf(node.x)),
  relu: (node, { ggml, context, tensorOf }) => ggml.relu(context, tensorOf(node.x)),
  abs: (node, { ggml, context, tensorOf }) => ggml.abs(context, tensorOf(node.x)),
  step: (node, { ggml, context, tensorOf }) => ggml.step(context, tensorOf(node.x)),
  reluBack: (node, { ggml, context, tensorOf }) =>
    ggml.mul(context, tensorOf(node.g), ggml.step(context, tensorOf(node.x))),
  ...activations,
  matmul: (node, lowering) => {
    const { ggml, context, tensorOf, isCpu, isCuda, products } = lowering;
    const summed = node.x.shape.at(node.transposeX ? -2 : -1) ?? 0;
    const stand = products?.nodeFor(context, node, tensorOf);
    if (stand) return stand;
    // ggml sums over the innermost dimension of both factors.
    const x = node.transposeX ? transposed(node.x, lowering) : tensorOf(node.x);
    const y = node.transposeY ? tensorOf(node.y) : transposed(node.y, lowering);
    // To the format of y ggml rounds x.
    const isAnother =
      node.precision === "f32" ? node.y.dtype !== "f32" : node.y.dtype === "f32" && (!isCpu || summed >= LEAST_ROUNDED);
    const rounded = isAnother ? ggml.cast(context, y, typeNumber[node.precision]) : y;
    const multiply = (x: Pointer): Pointer => {
      const product = ggml.mulMat(context, rounded, x);
      // bf16 is always accumulated in f32, and asking for it would have CUDA widen that factor first.
      if (node.precision !== "bf16") ggml.setPrecision(product, PRECISION_F32);
      return product;
    };
    return isCuda && isCut(node) ? withMoreRows(node, x, multiply, lowering) : multiply(x);
  },
  gatherRows: (node, { ggml, context, tensorOf }) => ggml.getRows(context, tensorOf(node.table), tensorOf(node.rows)),
  scatterRows: (node, { ggml, context, tensorOf }) => {
    const shaped = ggml.newTensor(context, typeNumber.f32, 4, innermostFirst(node.shape));
    return ggml.getRowsBack(context, tensorOf(node.x), tensorOf(node.rows), shaped);
  },
  sliceRows: (node, { ggml, context, tensorOf }) => {
    const [width, count] = innermostFirst(node.shape);
    const rowBytes = width * bytesPerElement[node.dtype as Dtype];
    return ggml.view2d(context, tensorOf(node.x), width, count, rowBytes, node.from * rowBytes);
  },
  concat: (node, { ggml, context, tensorOf }) =>
    ggml.concat(context, tensorOf(node.x), tensorOf(node.y), node.shape.length - 1 - node.axis),
  normalize: (node, { ggml, context, tensorOf }) => ggml.rmsNorm(context, tensorOf(node.x), node.epsilon),
  rope: (node, { ggml, context, tensorOf }) => {
    const width = 2 * elementCount(node.periods.shape);
    const operands = [tensorOf(node.x), tensorOf(node.positions), tensorOf(node.periods)];
    // With base 1 the angle is position / period: the periods carry every variant of rotary scaling.
    return ggml.rope(context, ...operands, width, ROPE_HALF_SPLIT, 0, 1, 1, 0, node.factor, 0, 0);
  },
  softmax: (node, { ggml, context, tensorOf }) => {
    const [width, n, , batch] = innermostFirst(node.shape);
    const mask = node.mask ? ggml.reshape4d(context, tensorOf(node.mask), width, n, 1, batch) : null;
    return ggml.softMax(context, tensorOf(node.x), mask, node.factor, 0);
  },
  ...ofLogits,
  normalizeBack: (node, { ggml, context, tensorOf }) =>
    ggml.rmsNormBack(context, tensorOf(node.g), tensorOf(node.x), node.epsilon),
  softmaxBack: (node, { ggml, context, tensorOf }) => {
    // The result takes the place of the first operand that nothing else reads: over the second one, the CPU computes nonsense.
    const g = ggml.cont(context, tensorOf(node.g));
    return ggml.softMaxBack(context, g, tensorOf(node.result), node.factor, 0);
  },
  logProbabilityBack: (node, { ggml, context, tensorOf }) => {
    // -g softmax(x), and g more at the target.
    const [vocabulary, rows] = innermostFirst(node.logits.shape);
    const g = ggml.reshape4d(context, tensorOf(node.g), 1, rows, 1, 1);
    const others = ggml.mul(
      context,
      ggml.softMax(context, tensorOf(node.logits), null, 1, 0),
      ggml.scale(context, g, -1),
    );
    const elements = ggml.reshape4d(context, others, 1, vocabulary, rows, 1);
    const targets = ggml.reshape4d(context, tensorOf(node.targets), 1, rows, 1, 1);
    const more = ggml.reshape4d(context, g, 1, 1, rows, 1);
    const own = ggml.add(context, ggml.getRows(context, elements, targets), more);
    return ggml.reshape4d(context, ggml.setRows(context, elements, own, targets), vocabulary, rows, 1, 1);
  },
  padRows: (node, { ggml, context, tensorOf }) => {
    const [width] = innermostFirst(node.shape);
    const [total, own] = [elementCount(node.shape), elementCount(node.g.shape)];
    const before = node.from * width;
    // As one row: CUDA has a row of blocks for each, of which a grid has 65,535.
    const row = ggml.reshape4d(context, tensorOf(node.g), own, 1, 1, 1);
    const padded = ggml.pad(context, row, before, total - own - before, 0, 0, 0, 0, 0, 0);
    return ggml.reshape4d(context, padded, ...innermostFirst(node.shape));
  },
  dot: (node, { ggml, context, tensorOf, isCpu }) => {
    // Row by row first: one sum after the other would lose digits over millions of elements.
    const [width] = innermostFirst(node.x.shape);
    const rows = elementCount(node.x.shape) / width;
    const [x, y] = [node.x, node.y].map((factor) => ggml.reshape4d(context, tensorOf(factor), width, 1, rows, 1));
    // A product of matrices for each row is one pass over memory on a CPU, and more of them than a GPU's grid has blocks.
    const sums = isCpu ? ggml.mulMat(context, y, x) : ggml.sumRows(context, ggml.mul(context, x, y));
    return ggml.sumRows(context, ggml.reshape4d(context, sums, rows, 1, 1, 1));
  },
};

/** A matrix, or each of several, with rows and columns exchanged; one that several products read is copied once. */
function transposed(matrix: Expression, lowering: LoweringContext): Pointer {
  const { tensorOf, transposed } = lowering;
  const known = transposed.get(matrix);
  if (known) return known;
  const copy = transpose(tensorOf(matrix), matrix, lowering);
  transposed.set(matrix, copy);
  return copy;
}

/** Adds the ggml nodes of one expression whose operands are already there. */
export function lower(node: Exclude<Expression, { op: "input" | "constant" }>, lowering: LoweringContext): Pointer {
  const lowerNode = lowerings[node.op] as (node: Expression, lowering: LoweringContext) => Pointer;
  return lowerNode(node, lowering);
}
