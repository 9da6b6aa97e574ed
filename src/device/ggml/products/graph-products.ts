/** The products of a graph that a library computes, with what follows them, the softmaxes and the norms. */
import type { Expression, Node } from "../../expression.ts";
import type { Ggml, Pointer } from "../library.ts";
import { innermostFirst, typeNumber } from "../types-and-sizes.ts";
import type { FinishedProduct } from "./epilogues.ts";
import { LibraryNode, type WorksAt } from "./library-node.ts";
import type { FactorFormat, ProductLibrary, ResultStep } from "./product-library.ts";
import type { LibraryNorm } from "./norms.ts";
import type { LibrarySoftmax } from "./softmaxes.ts";
import { formatFor, isWorthIt, planFor } from "./product-plan.ts";

/**
 * Remembers which nodes of one graph stand for products: ggml gives them and their factors places, and does not compute them.
 * Unlike ggml, a library reads a transposed factor where it lies, and one that takes many products at once a permuted one too.
 */
export class GraphProducts {
  readonly #ggml: Ggml;
  readonly #library: ProductLibrary;
  readonly #nodes = new Map<Pointer, LibraryNode>();
  readonly #converted = new Map<Pointer, Pointer>();
  /** Tensors of bf16 where the expression is f32. */
  readonly #rounded = new Set<Pointer>();

  constructor(ggml: Ggml, library: ProductLibrary) {
    this.#ggml = ggml;
    this.#library = library;
  }

  /** A node that stands for a product; nothing where ggml should compute it. */
  nodeFor(context: Pointer, node: Node<"matmul">, tensorOf: (node: Expression) => Pointer): Pointer {
    const format = formatFor(this.#library, node);
    const plan = planFor(this.#library, node);
    if (!format || !isWorthIt(this.#library, node, format, plan)) return undefined;
    const factors = [plan.left, plan.right].map((factor) => this.#convert(context, factor, tensorOf(factor), format));
    return this.#stand(context, node, { operands: factors, format: "f32" }, (places, result) => {
      const [left = 0n, right = 0n] = places;
      return plan.works({ left, right, result }, format);
    });
  }

  /** A node that stands for a product and what follows it. */
  nodeForFinished(context: Pointer, finished: FinishedProduct, tensorOf: (node: Expression) => Pointer): Pointer {
    const { product, steps, isRounded, end } = finished;
    const { x, y, transposeX, transposeY, shape } = product;
    const [rows = 0, columns = 0] = shape;
    const inner = x.shape[transposeX ? 0 : 1] ?? 0;
    const factors = [x, y].map((factor) => this.#convert(context, factor, tensorOf(factor), "bf16"));
    const others = steps.flatMap(({ operand }) => (operand ? [operand] : []));
    const resultFormat = isRounded ? "bf16" : "f32";
    const operands = [...factors, ...others.map(tensorOf)];
    const node = this.#stand(context, end, { operands, format: resultFormat }, (places, result) => {
      const [left = 0n, right = 0n, ...rest] = places;
      const own = steps.map(({ op, operand }): ResultStep =>
        operand ? ({ op, address: rest.shift(), rows: operand.shape[0] } as ResultStep) : ({ op } as ResultStep),
      );
      const work = this.#library.multiplyAll?.({
        outside: [],
        rows,
        columns,
        inner,
        format: "bf16",
        result,
        resultFormat,
        steps: own,
        left: { address: left, strides: transposeX ? [1, rows] : [inner, 1] },
        right: { address: right, strides: transposeY ? [1, inner] : [columns, 1] },
      });
      return work ? [work] : [];
    });
    if (isRounded) this.#rounded.add(node);
    return node;
  }

  /** A node that stands for a softmax, and overwrites what it reads. */
  nodeForSoftmax(
    context: Pointer,
    { node, isRounded }: LibrarySoftmax,
    tensorOf: (node: Expression) => Pointer,
  ): Pointer {
    const [batch = 0, heads = 0, rows = 0, columns = 0] = node.shape;
    const resultFormat = isRounded ? "bf16" : "f32";
    const operands = [node.x, ...(node.mask ? [node.mask] : [])].map(tensorOf);
    const stand = this.#stand(context, node, { operands, format: resultFormat }, ([x = 0n, mask = 0n], result) => {
      const { factor } = node;
      return this.#library.softmax?.({ batch, heads, rows, columns, factor, x, mask, result, resultFormat }) ?? [];
    });
    if (isRounded) this.#rounded.add(stand);
    return stand;
  }

  /** A node that stands for a normalisation and the row that it is multiplied by. */
  nodeForNorm(
    context: Pointer,
    { node, weight, end, isRounded }: LibraryNorm,
    tensorOf: (node: Expression) => Pointer,
  ): Pointer {
    const [rows = 0, columns = 0] = node.shape;
    const resultFormat = isRounded ? "bf16" : "f32";
    const operands = [node.x, ...(weight ? [weight] : [])].map(tensorOf);
    const stand = this.#stand(context, end, { operands, format: resultFormat }, ([x = 0n, weight], result) => {
      const { epsilon } = node;
      const work = this.#library.normalize?.({ rows, columns, epsilon, x, weight, result, resultFormat });
      return work ? [work] : [];
    });
    if (isRounded) this.#rounded.add(stand);
    return stand;
  }

  /** What computes a node; undefined where ggml does. */
  of(node: Pointer): LibraryNode | undefined {
    return this.#nodes.get(node);
  }

  free(): void {
    for (const node of this.#nodes.values()) node.free();
  }

  /** A tensor that the works write, once it and what they read have places. */
  #stand(
    context: Pointer,
    { shape }: Expression,
    { operands, format }: { readonly operands: readonly Pointer[]; readonly format: FactorFormat },
    works: WorksAt,
  ): Pointer {
    const sizes = innermostFirst(shape);
    const count = operands.length;
    const node: Pointer = this.#ggml.custom(context, typeNumber[format], ...sizes, operands, count, null, 1, null);
    this.#nodes.set(node, new LibraryNode(node, operands, works));
    return node;
  }

  /** A factor that several products read is converted once. */
  #convert(context: Pointer, { dtype }: Expression, tensor: Pointer, format: FactorFormat): Pointer {
    if (dtype === format || (format === "bf16" && this.#rounded.has(tensor))) return tensor;
    const copy = this.#converted.get(tensor) ?? this.#ggml.cast(context, tensor, typeNumber[format]);
    this.#converted.set(tensor, copy);
    return copy;
  }
}
