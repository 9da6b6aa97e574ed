/**
 * The C functions of ggml that the engine calls, bound with koffi to the prebuilt libraries of the npm packages
 * `@node-llama-cpp/<platform>`. ggml promises no stable ABI, so the version is checked before anything else is called.
 * @module
 */
import koffi, { type LibraryHandle } from "koffi";
import { UserError } from "../../errors.ts";
import { functionIn, type PlacedFunction } from "./c-functions.ts";
import type { GgmlLibraries } from "./find-libraries.ts";
import { loadLibrary } from "./load-library.ts";
import { startListening } from "./messages.ts";
import { GGML_VERSION, PACKAGE_VERSION } from "./packages.ts";
import { enlargeStacks } from "./stacks.ts";

/** More than any backend lists; the list ends with an entry without a name. */
const MAX_FEATURES = 256;

/** An address owned by ggml. */
export type Pointer = unknown;

/** Contexts, graphs and the nodes in them (ggml.h). */
const contextFunctions = {
  freeContext: "void ggml_free(void *context)",
  tensorOverhead: "size_t ggml_tensor_overhead()",
  graphOverhead: "size_t ggml_graph_overhead_custom(size_t size, bool gradients)",
  newGraph: "void *ggml_new_graph_custom(void *context, size_t size, bool gradients)",
  expandGraph: "void ggml_build_forward_expand(void *graph, void *tensor)",
  addNode: "void ggml_graph_add_node(void *graph, void *tensor)",
  nodeCount: "int ggml_graph_n_nodes(void *graph)",
  nodeAt: "void *ggml_graph_node(void *graph, int index)",
  operationOf: "const char *ggml_op_desc(void *tensor)",
  firstTensor: "void *ggml_get_first_tensor(void *context)",
  tensorBehind: "void *ggml_get_next_tensor(void *context, void *tensor)",
  logSet: "void ggml_log_set(void *callback, void *data)",
  abortSet: "void *ggml_set_abort_callback(void *callback)",
  newTensor: "void *ggml_new_tensor(void *context, int type, int dimensions, const int64_t *sizes)",
  setParameter: "void ggml_set_param(void *tensor)",
  setOutput: "void ggml_set_output(void *tensor)",
  cast: "void *ggml_cast(void *context, void *a, int type)",
  copyTo: "void *ggml_cpy(void *context, void *a, void *place)",
  cont: "void *ggml_cont(void *context, void *a)",
  concat: "void *ggml_concat(void *context, void *a, void *b, int axis)",
  reshape2d: "void *ggml_reshape_2d(void *context, void *a, int64_t n0, int64_t n1)",
  reshape4d: "void *ggml_reshape_4d(void *context, void *a, int64_t n0, int64_t n1, int64_t n2, int64_t n3)",
  view2d: "void *ggml_view_2d(void *context, void *a, int64_t n0, int64_t n1, size_t rowBytes, size_t offset)",
  view4d:
    "void *ggml_view_4d(void *context, void *a, int64_t n0, int64_t n1, int64_t n2, int64_t n3, size_t bytes1, size_t bytes2, size_t bytes3, size_t offset)",
  pad: "void *ggml_pad_ext(void *context, void *a, int before0, int behind0, int before1, int behind1, int before2, int behind2, int before3, int behind3)",
  permute: "void *ggml_permute(void *context, void *a, int axis0, int axis1, int axis2, int axis3)",
  add: "void *ggml_add(void *context, void *a, void *b)",
  sub: "void *ggml_sub(void *context, void *a, void *b)",
  mul: "void *ggml_mul(void *context, void *a, void *b)",
  div: "void *ggml_div(void *context, void *a, void *b)",
  scale: "void *ggml_scale(void *context, void *a, float factor)",
  scaleBias: "void *ggml_scale_bias(void *context, void *a, float factor, float bias)",
  sumRows: "void *ggml_sum_rows(void *context, void *a)",
  repeatBack: "void *ggml_repeat_back(void *context, void *a, void *shaped)",
  siluBack: "void *ggml_silu_back(void *context, void *g, void *x)",
  rmsNormBack: "void *ggml_rms_norm_back(void *context, void *g, void *x, float epsilon)",
  softMaxBack: "void *ggml_soft_max_ext_back(void *context, void *g, void *y, float factor, float maxBias)",
  silu: "void *ggml_silu(void *context, void *a)",
  relu: "void *ggml_relu(void *context, void *a)",
  step: "void *ggml_step(void *context, void *a)",
  geluErf: "void *ggml_gelu_erf(void *context, void *a)",
  abs: "void *ggml_abs(void *context, void *a)",
  exp: "void *ggml_exp(void *context, void *a)",
  log: "void *ggml_log(void *context, void *a)",
  mulMat: "void *ggml_mul_mat(void *context, void *a, void *b)",
  custom:
    "void *ggml_custom_4d(void *context, int type, int64_t n0, int64_t n1, int64_t n2, int64_t n3, void **operands, int count, void *compute, int tasks, void *data)",
  setPrecision: "void ggml_mul_mat_set_prec(void *product, int precision)",
  getRows: "void *ggml_get_rows(void *context, void *a, void *b)",
  getRowsBack: "void *ggml_get_rows_back(void *context, void *a, void *rows, void *shaped)",
  setRows: "void *ggml_set_rows(void *context, void *a, void *b, void *rows)",
  rmsNorm: "void *ggml_rms_norm(void *context, void *a, float epsilon)",
  arange: "void *ggml_arange(void *context, float start, float stop, float step)",
  argmax: "void *ggml_argmax(void *context, void *a)",
  softMax: "void *ggml_soft_max_ext(void *context, void *a, void *mask, float factor, float maxBias)",
  flashAttention:
    "void *ggml_flash_attn_ext(void *context, void *query, void *keys, void *values, void *mask, float factor, float maxBias, float cap)",
  rope: "void *ggml_rope_ext(void *context, void *a, void *positions, void *factors, int dimensions, int mode, int originalLength, float base, float scale, float extFactor, float attnFactor, float betaFast, float betaSlow)",
} as const;

/** Devices, buffers and computation (ggml-backend.h, ggml-alloc.h). */
const backendFunctions = {
  deviceType: "int ggml_backend_dev_type(void *device)",
  deviceName: "const char *ggml_backend_dev_name(void *device)",
  deviceDescription: "const char *ggml_backend_dev_description(void *device)",
  deviceMemory: "void ggml_backend_dev_memory(void *device, _Out_ size_t *free, _Out_ size_t *total)",
  deviceBufferType: "void *ggml_backend_dev_buffer_type(void *device)",
  deviceRegistry: "void *ggml_backend_dev_backend_reg(void *device)",
  registryDeviceCount: "size_t ggml_backend_reg_dev_count(void *registry)",
  registryDeviceAt: "void *ggml_backend_reg_dev_get(void *registry, size_t index)",
  procedure: "void *ggml_backend_reg_get_proc_address(void *registry, const char *name)",
  openBackend: "void *ggml_backend_dev_init(void *device, const char *parameters)",
  closeBackend: "void ggml_backend_free(void *backend)",
  supports: "bool ggml_backend_supports_op(void *backend, void *node)",
  deviceSupports: "bool ggml_backend_dev_supports_op(void *device, void *node)",
  compute: "int ggml_backend_graph_compute(void *backend, void *graph)",
  largestBuffer: "size_t ggml_backend_buft_get_max_size(void *bufferType)",
  allocSize: "size_t ggml_backend_buft_get_alloc_size(void *bufferType, void *tensor)",
  allocBuffer: "void *ggml_backend_buft_alloc_buffer(void *bufferType, size_t size)",
  freeBuffer: "void ggml_backend_buffer_free(void *buffer)",
  bufferBase: "void *ggml_backend_buffer_get_base(void *buffer)",
  placeTensor: "int ggml_backend_tensor_alloc(void *buffer, void *tensor, void *address)",
  setTensor: "void ggml_backend_tensor_set(void *tensor, const void *data, size_t offset, size_t size)",
  getTensor: "void ggml_backend_tensor_get(void *tensor, _Out_ void *data, size_t offset, size_t size)",
  newWorkspace: "void *ggml_gallocr_new(void *bufferType)",
  freeWorkspace: "void ggml_gallocr_free(void *workspace)",
  planGraph: "bool ggml_gallocr_reserve(void *workspace, void *graph)",
  allocGraph: "bool ggml_gallocr_alloc_graph(void *workspace, void *graph)",
  workspaceSize: "size_t ggml_gallocr_get_buffer_size(void *workspace, int buffer)",
} as const;

/** The registry of backends, in a library of its own. */
const registryFunctions = {
  loadBackend: "void *ggml_backend_load(const char *file)",
} as const;

type FunctionName =
  | "init"
  | keyof typeof contextFunctions
  | keyof typeof backendFunctions
  | keyof typeof registryFunctions;

/** A C function: called directly, or on a thread of its own through `async`, whose last argument is a callback. */
export interface CFunction {
  (...values: readonly unknown[]): Pointer;
  readonly async: (...values: readonly unknown[]) => void;
}

export type Ggml = Readonly<Record<Exclude<FunctionName, "compute">, CFunction>> & {
  /** Lanes have threads of their own for it. */
  readonly compute: PlacedFunction;
};

/** Loads ggml itself, without a backend, and keeps its messages. Called once a process. */
export async function loadGgml({ base, registry }: GgmlLibraries): Promise<Ggml> {
  enlargeStacks();
  const library = await open(base);
  const version = library.func("const char *ggml_version()") as () => string;
  if (version() !== GGML_VERSION) {
    throw new UserError(
      `engine ggml: expected ggml ${GGML_VERSION} in ${base}, found ${version()}; install the packages @node-llama-cpp/* in version ${PACKAGE_VERSION}`,
    );
  }
  // Nameless: a type with a name could not be declared again.
  const parameters = koffi.struct({ memSize: "size_t", memBuffer: "void *", noAlloc: "bool" });
  const ggml: Ggml = {
    init: library.func("ggml_init", "void *", [parameters]),
    ...bind(library, contextFunctions),
    ...bind(library, backendFunctions),
    ...bind(await open(registry), registryFunctions),
  };
  const { onLog, onAbort } = await startListening();
  ggml.logSet(onLog, null);
  ggml.abortSet(onAbort);
  // The listening thread ends with the process; a function that ignores its arguments may be called after it.
  const deaf = library.symbol("ggml_version", "void") as Pointer;
  process.once("exit", () => {
    ggml.logSet(deaf, null);
    ggml.abortSet(null);
  });
  return ggml;
}

/** Fails on a system whose C library is too old, for one. */
async function open(file: string): Promise<LibraryHandle> {
  try {
    return await loadLibrary(file);
  } catch (error) {
    throw new UserError(`engine ggml: ${file}: ${(error as Error).message}`, { cause: error });
  }
}

function bind<Name extends string>(
  library: LibraryHandle,
  signatures: Readonly<Record<Name, string>>,
): Record<Name, PlacedFunction> {
  const functions = Object.entries<string>(signatures).map(([name, signature]) => [
    name,
    functionIn(library, signature),
  ]);
  return Object.fromEntries(functions) as Record<Name, PlacedFunction>;
}

const setThreadsType = koffi.proto("void (void *backend, int threads)");

/** Sets the threads of a CPU backend; other backends have no such procedure and are left alone. */
export function setThreads(ggml: Ggml, device: Pointer, backend: Pointer, threads: number): void {
  const procedure: Pointer = ggml.procedure(ggml.deviceRegistry(device), "ggml_backend_set_n_threads");
  if (procedure) koffi.call(procedure, setThreadsType, backend, threads);
}

const featureType = koffi.struct({ name: "const char *", value: "const char *" });
const featuresType = koffi.proto("void *(void *registry)");

/**
 * What a backend says that its code was built for, such as AVX512_BF16 ("1"); the loader takes the CPU backend of which the
 * machine has all. Empty where a backend tells nothing.
 */
export function featuresOf(ggml: Ggml, device: Pointer): ReadonlyMap<string, string> {
  const features = new Map<string, string>();
  const registry = ggml.deviceRegistry(device);
  const procedure: Pointer = ggml.procedure(registry, "ggml_backend_get_features");
  if (!procedure) return features;
  const list = koffi.call(procedure, featuresType, registry) as Pointer;
  for (let i = 0; i < MAX_FEATURES; i++) {
    const { name, value } = koffi.decode(list, i * koffi.sizeof(featureType), featureType) as Record<string, string>;
    if (!name) break;
    features.set(name, String(value));
  }
  return features;
}
