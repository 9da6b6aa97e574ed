/** ONNX Runtime, which multiplies f32 alone: by models of one operation, through its C API (onnxruntime_c_api.h). */
import koffi, { type LibraryHandle } from "koffi";
import type { Shape } from "../../../tensor/dtype.ts";
import { findFunction, functionAt, type NativeWork, type PlacedFunction } from "../c-functions.ts";
import type { Pointer } from "../library.ts";
import { gemmModel } from "./gemm-model.ts";
import type { Factor, Product, ProductLibrary } from "./product-library.ts";

/** A table of functions that every later version has too: of 1.16. */
const API_VERSION = 16;

/** The functions that are called: where they stand in the table, and what they take. All but one return a status, null for success. */
const TABLE = {
  message: [2, "const char *", "void *status"],
  newEnvironment: [3, "void *", "int level, const char *name, _Out_ void **environment"],
  newSession: [8, "void *", "void *environment, const void *model, size_t size, void *options, _Out_ void **session"],
  run: [
    9,
    "void *",
    "void *session, void *options, const char **names, void **inputs, size_t count, const char **outputNames, size_t outputCount, _Inout_ void **outputs",
  ],
  newOptions: [10, "void *", "_Out_ void **options"],
  setThreads: [24, "void *", "void *options, int threads"],
  newTensor: [
    49,
    "void *",
    "void *place, void *data, size_t bytes, const int64_t *shape, size_t dimensions, int type, _Out_ void **tensor",
  ],
  newPlace: [69, "void *", "int allocator, int type, _Out_ void **place"],
  freeStatus: [93, "void", "void *status"],
  freeTensor: [96, "void", "void *tensor"],
} as const;

/** OrtLoggingLevel ERROR: warnings are of graphs larger than these. */
const ERRORS = 3;
/** OrtDeviceAllocator, and the memory type of the processor itself. */
const [DEVICE_ALLOCATOR, DEFAULT_MEMORY] = [0, 0];
/** ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT. */
const FLOAT = 1;

type Api = Readonly<Record<keyof typeof TABLE, PlacedFunction>>;

/** Undefined where the library is another one. Throws where it is too old. */
export function bindOnnxRuntime(library: LibraryHandle): ProductLibrary | undefined {
  const base = findFunction(library, "void *OrtGetApiBase()");
  if (!base) return undefined;
  const [getApi, getVersion] = koffi.decode(base(), koffi.array("void *", 2)) as Pointer[];
  const name = `ONNX Runtime ${String(functionAt(getVersion, "const char *", "")())}`;
  const table = functionAt(getApi, "void *", "uint32_t version")(API_VERSION);
  if (!table) throw new Error(`${name}: expected 1.${API_VERSION} or later`);
  const runtime = new Runtime(name, apiOf(table));
  return { name, leastRows: { f32: 16 }, multiply: (product) => runtime.multiply(product) };
}

function apiOf(table: Pointer): Api {
  const length = Math.max(...Object.values(TABLE).map(([index]) => index)) + 1;
  const functions = koffi.decode(table, koffi.array("void *", length)) as Pointer[];
  const entries = Object.entries(TABLE).map(([name, [index, result, parameters]]) => [
    name,
    functionAt(functions[index], result, parameters),
  ]);
  return Object.fromEntries(entries) as Api;
}

class Runtime {
  readonly #name: string;
  readonly #api: Api;
  readonly #environment: Pointer;
  readonly #options: Pointer;
  readonly #place: Pointer;
  /** By which factors stand transposed. A session takes products of all sizes, and several at a time. */
  readonly #sessions = new Map<string, Pointer>();

  constructor(name: string, api: Api) {
    this.#name = name;
    this.#api = api;
    this.#environment = this.#made((out) => api.newEnvironment(ERRORS, "evomerge", out));
    this.#options = this.#made((out) => api.newOptions(out));
    // The thread that calls is the one that computes.
    this.#check(api.setThreads(this.#options, 1));
    this.#place = this.#made((out) => api.newPlace(DEVICE_ALLOCATOR, DEFAULT_MEMORY, out));
  }

  multiply({ rows, columns, inner, left, right, result }: Product): NativeWork {
    const session = this.#sessionFor(left, right);
    const tensors: Pointer[] = [];
    const free = (): void => {
      for (const tensor of tensors) this.#api.freeTensor(tensor);
    };
    try {
      tensors.push(this.#tensor(left.address, left.transposed ? [inner, rows] : [rows, inner]));
      tensors.push(this.#tensor(right.address, right.transposed ? [columns, inner] : [inner, columns]));
      tensors.push(this.#tensor(result, [rows, columns]));
    } catch (error) {
      free();
      throw error;
    }
    const values = [session, null, ["x", "w"], tensors.slice(0, 2), 2, ["y"], 1, tensors.slice(2)];
    return { calls: [{ place: this.#api.run.place, values }], refusal: (status) => this.#errorOf(status), free };
  }

  #sessionFor({ transposed: x }: Factor, { transposed: w }: Factor): Pointer {
    const key = `${x} ${w}`;
    const session = this.#sessions.get(key) ?? this.#newSession(gemmModel(x, w));
    this.#sessions.set(key, session);
    return session;
  }

  #newSession(model: Uint8Array): Pointer {
    const { newSession } = this.#api;
    return this.#made((out) => newSession(this.#environment, model, model.length, this.#options, out));
  }

  /** A matrix where it lies. */
  #tensor(address: bigint, shape: Shape): Pointer {
    const bytes = shape.reduce((size, n) => size * n, 4);
    return this.#made((out) => this.#api.newTensor(this.#place, address, bytes, shape, shape.length, FLOAT, out));
  }

  /** What a function writes into its last argument. */
  #made(make: (out: [Pointer]) => Pointer): Pointer {
    const out: [Pointer] = [null];
    this.#check(make(out));
    return out[0];
  }

  #check(status: Pointer): void {
    if (status !== null && status !== undefined) throw this.#errorOf(status);
  }

  #errorOf(status: unknown): Error {
    const message = String(this.#api.message(status));
    this.#api.freeStatus(status);
    return new Error(`${this.#name}: ${message}`);
  }
}
