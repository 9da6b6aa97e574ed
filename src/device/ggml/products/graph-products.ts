/** The products of a graph that a library computes, with what follows them, the softmaxes and the norms. */
import type { Expression, Node } from "../../expression.ts";
import type { Ggml, Pointer } from "../library.ts";
import { innermostFirst, typeNumber } from "../types-and-sizes.ts";
import { columnBlocks, type ColumnBlock, productOfColumns } from "./column-blocks.ts";
import type { FinishedProduct } from "./epilogues.ts";
import { GATED_COLUMNS, type GatedProduct } from "./gates.ts";
import { LibraryNode, type WorksAt } from "./library-node.ts";
import type { FactorFormat, ProductLibrary, SpreadProducts } from "./product-library.ts";
import type { LibraryNorm } from "./norms.ts";
import type { LibrarySoftmax } from "./softmaxes.ts";
import { formatFor, isWorthIt, planFor } from "./product-plan.ts";

const BF16_BYTES = 2;

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
    const { isRounded, end } = finished;
    const resultFormat = isRounded ? "bf16" : "f32";
    const { tensors, productAt } = this.#operandsOf(context, finished, tensorOf);
    const node = this.#stand(context, end, { operands: tensors, format: resultFormat }, (places, result) => {
      const work = this.#library.multiplyAll?.({ ...productAt(places), result, resultFormat });
      return work ? [work] : [];
    });
    if (isRounded) this.#rounded.add(node);
    return node;
  }

  /** A node that stands for a product, its gate, and what follows both. */
  nodeForGated(context: Pointer, gated: GatedProduct, tensorOf: (node: Expression) => Pointer): Pointer {
    const { gate, product, end } = gated;
    const [rows = 0, pitch = 0] = end.shape;
    const gates = this.#operandsOf(context, gate, tensorOf);
    // What has the columns that are computed at a time; only the works of this node write there.
    const blockOf = (format: FactorFormat): Pointer =>
      this.#stand(context, { shape: [rows, GATED_COLUMNS] }, { operands: gates.tensors, format }, () => []);
    const [gateBlock, block] = [blockOf("f32"), blockOf("bf16")];
    const own = this.#operandsOf(context, product, (node) => (node === gate.end ? gateBlock : tensorOf(node)));
    const operands = [gateBlock, block, ...gates.tensors, ...own.tensors];
    const worksAt: WorksAt = ([gateAt = 0n, at = 0n, ...places], result) =>
      columnBlocks(pitch, GATED_COLUMNS).flatMap((columns) => {
        const opens = gates.productAt(places, columns);
        const multiplies = own.productAt(places.slice(gates.tensors.length), columns);
        const copy = { rows, columns: columns.count, pitch, x: at, result: result + BigInt(BF16_BYTES * columns.from) };
        const works = [
          this.#library.multiplyAll?.({ ...opens, result: gateAt }),
          this.#library.multiplyAll?.({ ...multiplies, result: at, resultFormat: "bf16" }),
          this.#library.copyRows?.(copy),
        ];
        return works.flatMap((work) => work ?? []);
      });
    const node = this.#stand(context, end, { operands, format: "bf16" }, worksAt);
    this.#rounded.add(node);
    return node;
  }

  /** What a finished product reads, and its products once that has places. */
  #operandsOf(
    context: Pointer,
    { product, steps }: Pick<FinishedProduct, "product" | "steps">,
    tensorOf: (node: Expression) => Pointer,
  ): {
    readonly tensors: readonly Pointer[];
    readonly productAt: (places: readonly bigint[], columns?: ColumnBlock) => Omit<SpreadProducts, "result">;
  } {
    const factors = [product.x, product.y].map((factor) => this.#convert(context, factor, tensorOf(factor), "bf16"));
    const others = steps.flatMap(({ operand }) => operand ?? []);
    return {
      tensors: [...factors, ...others.map(tensorOf)],
      productAt: ([left = 0n, right = 0n, ...rest], columns) => {
        const addressOf = (operand: Expression): bigint => rest[others.indexOf(operand)] ?? 0n;
        return productOfColumns({ product, steps }, { left, right, addressOf }, columns);
      },
    };
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
    { shape }: Pick<Expression, "shape">,
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
