/** oneDNN, by two functions that are the same in its versions 2 and 3. */
import koffi from "koffi";
import type { FunctionFinder } from "../c-functions.ts";
import type { Pointer } from "../library.ts";
import { bindCopy } from "./onednn-copy.ts";
import { bindMatmul } from "./onednn-matmul.ts";
import { bindNorm } from "./onednn-norm.ts";
import { DnnlPrimitives } from "./onednn-primitives.ts";
import { bindSoftmax } from "./onednn-softmax.ts";
import type { Factor, FactorFormat, Product, ProductLibrary, SpreadFactor, SpreadProducts } from "./product-library.ts";

/** dnnl_version_t; nameless, since a type with a name could not be declared again. */
const versionType = koffi.struct({
  major: "int",
  minor: "int",
  patch: "int",
  hash: "void *",
  cpuRuntime: "uint",
  gpuRuntime: "uint",
});

/** Whose functions these are. */
const VERSIONS: ReadonlySet<number> = new Set([2, 3]);

/** DNNL_RUNTIME_SEQ and DNNL_RUNTIME_OMP: others have a thread pool of their own. */
const RUNTIMES: ReadonlySet<number> = new Set([1, 2]);

/** dnnl_cpu_isa_avx512_core_bf16, of which all bits are needed: without these instructions bf16 is slower than f32. */
const BF16_INSTRUCTIONS = 0xe7;

/** 'N' and 'T' of transA and transB. */
const [AS_STORED, TRANSPOSED] = [78, 84];

/** Matrices row by row, unlike in BLAS. */
const PARAMETERS =
  "(char transA, char transB, int64_t M, int64_t N, int64_t K, float alpha, void *A, int64_t lda, void *B, int64_t ldb, float beta, void *C, int64_t ldc)";

/** Undefined where the library is another one. Throws where it is oneDNN, and would not compute on one thread. */
export function bindOneDnn(find: FunctionFinder): ProductLibrary | undefined {
  const f32 = find(`int dnnl_sgemm${PARAMETERS}`);
  const version = find("void *dnnl_version()");
  if (!f32 || !version) return undefined;
  const { name, major, runtime } = read(version());
  if (!VERSIONS.has(major)) throw new Error(`${name}: expected version 2 or 3`);
  if (!RUNTIMES.has(runtime)) throw new Error(`${name}: expected a build for OpenMP, found one for other threads`);
  // In every build, and in no public header.
  const bf16 = hasInstructions(find) && find(`int dnnl_gemm_bf16bf16f32${PARAMETERS}`);
  const gemms = { f32: f32.place, ...(bf16 && { bf16: bf16.place }) };
  const primitives = DnnlPrimitives.bind(find);
  const matmul = primitives && bindMatmul(primitives, Object.keys(gemms) as FactorFormat[]);
  const copyRows = bf16 && primitives && bindCopy(primitives, find);
  const softmax = primitives && bindSoftmax(primitives);
  const normalize = primitives && bindNorm(primitives, find);
  return {
    name,
    leastRows: { f32: 32, ...(bf16 && { bf16: 16 }) },
    multiply: (product) => {
      // Where a processor multiplies matrices of bf16 as a whole (AMX), only the primitive makes the most of it.
      if (product.format === "bf16" && matmul) return matmul.multiply(asSpread(product));
      const place = gemms[product.format];
      if (!place) throw new Error(`${name}: no products in ${product.format}`);
      return {
        calls: [{ place, values: gemmArguments(product) }],
        refusal: (status) => new Error(`${name}: a product in ${product.format} failed with status ${String(status)}`),
      };
    },
    ...(matmul && { multiplyAll: matmul.multiply }),
    ...(copyRows && { copyRows }),
    ...(softmax && { softmax }),
    ...(normalize && { normalize }),
    ...(matmul?.finishes && { finishesBf16: true }),
  };
}

function read(version: Pointer): { readonly name: string; readonly major: number; readonly runtime: number } {
  const { major = 0, minor, patch, cpuRuntime = 0 } = koffi.decode(version, versionType) as Record<string, number>;
  return { name: `oneDNN ${major}.${minor}.${patch}`, major, runtime: cpuRuntime };
}

function hasInstructions(find: FunctionFinder): boolean {
  const isa = find("int dnnl_get_effective_cpu_isa()");
  return isa !== undefined && (Number(isa()) & BF16_INSTRUCTIONS) === BF16_INSTRUCTIONS;
}

function asSpread({ left, right, ...product }: Product): SpreadProducts {
  const { rows, columns, inner } = product;
  const spread = { left: spreadFactor(left, rows, inner), right: spreadFactor(right, inner, columns) };
  return { ...product, ...spread, outside: [] };
}

function spreadFactor({ address, transposed }: Factor, rows: number, columns: number): SpreadFactor {
  return { address, strides: transposed ? [1, rows] : [columns, 1] };
}

function gemmArguments({ rows, columns, inner, left, right, result }: Product): unknown[] {
  const layout = [left, right].map(({ transposed }) => (transposed ? TRANSPOSED : AS_STORED));
  const a = [left.address, left.transposed ? rows : inner];
  const b = [right.address, right.transposed ? inner : columns];
  return [...layout, rows, columns, inner, 1, ...a, ...b, 0, result, columns];
}
