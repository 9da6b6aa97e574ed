/** Which library multiplies matrices beside ggml on CPUs: one that is named, or the first that the system has. */
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { dirname, join } from "node:path";
import type { LibraryHandle } from "koffi";
import { RefusedSetting } from "../../refused-setting.ts";
import { loadLibrary } from "../load-library.ts";
import { enlargeStacks } from "../stacks.ts";
import { findFunction } from "../c-functions.ts";
import { bindOneDnn } from "./onednn.ts";
import { bindOnnxRuntime } from "./onnx-runtime.ts";
import { bindOpenBlas } from "./openblas.ts";
import type { ProductLibrary } from "./product-library.ts";
import { bindTorch } from "./torch.ts";

/** Names a library by its file; `ggml` stands for none. */
export const PRODUCTS_VARIABLE = "EVOMERGE_PRODUCTS";

/** As the loader of Linux finds them, and what npm brings, the fastest first (bench/RESULTS.md). */
export const PRODUCT_FILES =
  process.platform === "linux" ? ["libdnnl.so.3", "libdnnl.so.2", ...onnxRuntimes(), "libopenblas.so.0"] : [];

/** They are read when a library of OpenMP or OpenBLAS is loaded: a lane has one thread, and a pool would be idle. */
const THREAD_VARIABLES = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"];

export interface FoundProducts {
  /** Undefined where ggml multiplies alone. */
  readonly library?: ProductLibrary;
  /** Where `library` is, for people. */
  readonly file?: string;
  /** What is there and of no use, a clause each. */
  readonly problems: readonly string[];
}

/** Libraries by file: a handle that nobody keeps is closed, with its code still in use. */
const loaded = new Map<string, Promise<{ readonly handle: LibraryHandle; readonly library: ProductLibrary }>>();

/** The library that `wanted` names by its file, or the best that the system has. Throws a RefusedSetting where a named one is of no use. */
export async function findProducts(wanted = process.env[PRODUCTS_VARIABLE] ?? ""): Promise<FoundProducts> {
  if (wanted === "ggml") return { problems: [] };
  const problems: string[] = [];
  for (const file of wanted === "" ? PRODUCT_FILES : [wanted]) {
    try {
      const { library } = await load(file);
      return { library, file, problems };
    } catch (error) {
      const { message } = error as Error;
      if (wanted !== "" || !saysMissing(message, file)) problems.push(`${file}: ${message}`);
    }
  }
  if (wanted === "") return { problems };
  throw new RefusedSetting(
    `${PRODUCTS_VARIABLE}: expected a library of oneDNN, PyTorch, ONNX Runtime or OpenBLAS, or ggml; ${problems.join("; ")}`,
  );
}

/** A toolkit for speech is the one package of npm that carries ONNX Runtime for one platform alone. */
function onnxRuntimes(): string[] {
  try {
    const manifest = `sherpa-onnx-${process.platform}-${process.arch}/package.json`;
    return [join(dirname(createRequire(import.meta.url).resolve(manifest)), "libonnxruntime.so")];
  } catch {
    return []; // Not installed.
  }
}

/** Whether the loader did not find the file itself; otherwise it names what the file lacks. */
function saysMissing(message: string, file: string): boolean {
  return message.includes("No such file") && !message.replaceAll(file, "").includes(".so");
}

function load(file: string): ReturnType<typeof open> {
  const known = loaded.get(file) ?? open(file);
  loaded.set(file, known);
  return known;
}

async function open(file: string): Promise<{ readonly handle: LibraryHandle; readonly library: ProductLibrary }> {
  enlargeStacks();
  const handle = await loadLibrary(file, withOneThread);
  const library =
    bindOneDnn((signature) => findFunction(handle, signature)) ??
    bindTorch(handle, file) ??
    bindOnnxRuntime(handle) ??
    bindOpenBlas(handle);
  if (!library) throw new Error("found no functions of oneDNN, PyTorch, ONNX Runtime or OpenBLAS");
  const threads = findFunction(handle, "int omp_get_max_threads()");
  const found = threads ? Number(await promisify(threads.async)()) : 1;
  if (found > 1) throw new Error(`OpenMP was started with ${found} threads before; set OMP_NUM_THREADS=1`);
  return { handle, library };
}

/** Other programs that this one starts keep their threads. */
function withOneThread<T>(work: () => T): T {
  const before = THREAD_VARIABLES.map((name) => [name, process.env[name]] as const);
  for (const name of THREAD_VARIABLES) process.env[name] = "1";
  try {
    return work();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
