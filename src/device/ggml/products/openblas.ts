/** OpenBLAS, which multiplies f32 alone; also as SciPy's wheels carry it, with a prefix to its names. */
import type { LibraryHandle } from "koffi";
import { availableCores } from "../../../files/available-cores.ts";
import { findFunction } from "../c-functions.ts";
import type { Product, ProductLibrary } from "./product-library.ts";

const PARAMETERS =
  "(int layout, int transA, int transB, int m, int n, int k, float alpha, void *a, int lda, void *b, int ldb, float beta, void *c, int ldc)";

/** CBLAS_LAYOUT and CBLAS_TRANSPOSE. */
const [ROW_MAJOR, AS_STORED, TRANSPOSED] = [101, 111, 112];

/** Undefined where the library is another one. Throws where it is OpenBLAS, and has too few buffers for this machine. */
export function bindOpenBlas(library: LibraryHandle): ProductLibrary | undefined {
  return bind(library, "") ?? bind(library, "scipy_");
}

function bind(library: LibraryHandle, prefix: string): ProductLibrary | undefined {
  const gemm = findFunction(library, `void ${prefix}cblas_sgemm${PARAMETERS}`);
  const setThreads = findFunction(library, `void ${prefix}openblas_set_num_threads(int threads)`);
  const config = findFunction(library, `const char *${prefix}openblas_get_config()`);
  if (!gemm || !setThreads || !config) return undefined;
  const built = String(config());
  const name = built.split(" ", 2).join(" ");
  const callers = Number(/MAX_THREADS=(\d+)/.exec(built)?.[1] ?? 1);
  if (callers < availableCores()) throw new Error(`${name}: expected buffers for all cores, found ${callers}`);
  setThreads(1);
  return {
    name,
    leastRows: { f32: 32 },
    multiply: (product) => ({ calls: [{ place: gemm.place, values: gemmArguments(product) }] }),
  };
}

function gemmArguments({ rows, columns, inner, left, right, result }: Product): unknown[] {
  const layout = [left, right].map(({ transposed }) => (transposed ? TRANSPOSED : AS_STORED));
  const a = [left.address, left.transposed ? rows : inner];
  const b = [right.address, right.transposed ? inner : columns];
  return [ROW_MAJOR, ...layout, rows, columns, inner, 1, ...a, ...b, 0, result, columns];
}
