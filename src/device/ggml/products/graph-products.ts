/** Which nodes of a graph are matrix products that a library should compute. */
import koffi from "koffi";
import type { Ggml, Pointer } from "../library.ts";
import { typeNumber } from "../lowering.ts";
import type { FactorFormat, Product, ProductLibrary } from "./product-library.ts";

/** The least operations of a product that are worth the calls on threads which it costs; ggml takes 50 to 100 us for them in f32. */
const LEAST_FLOP = 2 ** 22;

/** Where the fields of struct ggml_tensor are, in the version of `packages.ts`, and how much of it holds them all. */
const TYPE = 0;
const SIZES = 16;
const STRIDES = 48;
const SOURCES = 152;
const tensorType = koffi.array("uint8_t", 232, "Typed");

const bytesOf: Readonly<Record<FactorFormat, number>> = { f32: 4, bf16: 2 };

/** Matrices whose elements lie one after another; sizes as ggml has them, innermost first. */
interface Matrices {
  readonly address: bigint;
  readonly format: FactorFormat;
  readonly sizes: readonly [number, number, number, number];
}

/**
 * The products of a node, once the graph is allocated; undefined where ggml should compute it. ggml's mul_mat multiplies
 * x [n3, n2, rows, inner] by the transposes of weights [m3, m2, columns, inner], each of which serves n3 / m3 times n2 / m2 of x.
 */
export function productsOf(ggml: Ggml, node: Pointer, { leastRows }: ProductLibrary): Product[] | undefined {
  if (ggml.operationOf(node) !== "MUL_MAT") return undefined;
  const fields = fieldsOf(node);
  const [weight, x] = [0, 8].map((offset) => matricesAt(ggml, fields.getBigUint64(SOURCES + offset, true)));
  if (!weight || !x || weight.format !== x.format) return undefined;
  const { format } = x;
  const [inner, columns, m2, m3] = weight.sizes;
  const [, length, n2, n3] = x.sizes;
  // Neighbours that share a weight are multiplied together.
  const rows = length * (n2 / m2);
  if (rows < (leastRows[format] ?? Infinity) || 2 * rows * columns * inner < LEAST_FLOP) return undefined;
  const result = ggml.dataOf(node) as bigint;
  return Array.from({ length: n3 * m2 }, (_, i): Product => {
    const own = Math.floor(Math.floor(i / m2) / (n3 / m3)) * m2 + (i % m2);
    return {
      rows,
      columns,
      inner,
      format,
      left: { address: x.address + BigInt(i * rows * inner * bytesOf[format]), transposed: false },
      right: { address: weight.address + BigInt(own * columns * inner * bytesOf[format]), transposed: true },
      result: result + BigInt(i * rows * columns * 4),
    };
  });
}

/** Undefined for a format that no library multiplies. */
export function formatOf(tensor: Pointer): FactorFormat | undefined {
  const type = fieldsOf(tensor).getInt32(TYPE, true);
  return (["f32", "bf16"] as const).find((name) => typeNumber[name] === type);
}

/** Undefined where no library multiplies such a tensor where it lies. */
function matricesAt(ggml: Ggml, tensor: bigint): Matrices | undefined {
  const fields = fieldsOf(tensor);
  const format = formatOf(tensor);
  if (!format) return undefined;
  const at = (offset: number, i: number): number => Number(fields.getBigInt64(offset + 8 * i, true));
  const sizes = [at(SIZES, 0), at(SIZES, 1), at(SIZES, 2), at(SIZES, 3)] as const;
  let stride = bytesOf[format];
  for (const [i, size] of sizes.entries()) {
    if (at(STRIDES, i) !== stride) return undefined;
    stride *= size;
  }
  return { address: ggml.dataOf(tensor) as bigint, format, sizes };
}

function fieldsOf(tensor: Pointer): DataView {
  const { buffer, byteOffset } = koffi.decode(tensor, tensorType) as Uint8Array;
  return new DataView(buffer, byteOffset);
}
