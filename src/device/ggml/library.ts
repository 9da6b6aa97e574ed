/**
 * The C functions of ggml that the engine calls, bound with koffi to the prebuilt libraries of the npm packages
 * `@node-llama-cpp/<platform>`. ggml promises no stable ABI, so the version is checked before anything else is called.
 * @module
 */
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import koffi, { type LibraryHandle } from "koffi";
import { UserError } from "../../errors.ts";

/** The ggml that these declarations describe. */
const VERSION = "0.25.1";
/** The npm packages that carry it; the version is pinned with them in package.json. */
const PACKAGE_VERSION = "3.22.1";

/** An address owned by ggml. */
export type Pointer = unknown;

/** Platform packages in the order of preference: a GPU first, then the CPU. */
const platformPackages: Readonly<Record<string, readonly string[]>> = {
  "linux-x64": ["linux-x64-cuda", "linux-x64-cuda-ext", "linux-x64-vulkan", "linux-x64"],
  "linux-arm64": ["linux-arm64"],
  "darwin-arm64": ["mac-arm64-metal"],
  "darwin-x64": ["mac-x64"],
  "win32-x64": ["win-x64-cuda", "win-x64-vulkan", "win-x64"],
};

/** Contexts, graphs and the nodes in them (ggml.h). */
const contextFunctions = {
  init: "void *ggml_init(ggml_init_params params)",
  freeContext: "void ggml_free(void *context)",
  tensorOverhead: "size_t ggml_tensor_overhead()",
  graphOverhead: "size_t ggml_graph_overhead_custom(size_t size, bool gradients)",
  newGraph: "void *ggml_new_graph_custom(void *context, size_t size, bool gradients)",
  expandGraph: "void ggml_build_forward_expand(void *graph, void *tensor)",
  logSet: "void ggml_log_set(void *callback, void *data)",
  newTensor: "void *ggml_new_tensor(void *context, int type, int dimensions, const int64_t *sizes)",
  cast: "void *ggml_cast(void *context, void *a, int type)",
  cont: "void *ggml_cont(void *context, void *a)",
  reshape2d: "void *ggml_reshape_2d(void *context, void *a, int64_t n0, int64_t n1)",
  reshape4d: "void *ggml_reshape_4d(void *context, void *a, int64_t n0, int64_t n1, int64_t n2, int64_t n3)",
  permute: "void *ggml_permute(void *context, void *a, int axis0, int axis1, int axis2, int axis3)",
  add: "void *ggml_add(void *context, void *a, void *b)",
  sub: "void *ggml_sub(void *context, void *a, void *b)",
  mul: "void *ggml_mul(void *context, void *a, void *b)",
  scale: "void *ggml_scale(void *context, void *a, float factor)",
  silu: "void *ggml_silu(void *context, void *a)",
  log: "void *ggml_log(void *context, void *a)",
  mulMat: "void *ggml_mul_mat(void *context, void *a, void *b)",
  setPrecision: "void ggml_mul_mat_set_prec(void *product, int precision)",
  getRows: "void *ggml_get_rows(void *context, void *a, void *b)",
  rmsNorm: "void *ggml_rms_norm(void *context, void *a, float epsilon)",
  argmax: "void *ggml_argmax(void *context, void *a)",
  softMax: "void *ggml_soft_max_ext(void *context, void *a, void *mask, float factor, float maxBias)",
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
  procedure: "void *ggml_backend_reg_get_proc_address(void *registry, const char *name)",
  openBackend: "void *ggml_backend_dev_init(void *device, const char *parameters)",
  closeBackend: "void ggml_backend_free(void *backend)",
  compute: "int ggml_backend_graph_compute(void *backend, void *graph)",
  allocSize: "size_t ggml_backend_buft_get_alloc_size(void *bufferType, void *tensor)",
  allocBuffer: "void *ggml_backend_buft_alloc_buffer(void *bufferType, size_t size)",
  freeBuffer: "void ggml_backend_buffer_free(void *buffer)",
  bufferBase: "void *ggml_backend_buffer_get_base(void *buffer)",
  placeTensor: "int ggml_backend_tensor_alloc(void *buffer, void *tensor, void *address)",
  setTensor: "void ggml_backend_tensor_set(void *tensor, const void *data, size_t offset, size_t size)",
  getTensor: "void ggml_backend_tensor_get(void *tensor, _Out_ void *data, size_t offset, size_t size)",
  newWorkspace: "void *ggml_gallocr_new(void *bufferType)",
  freeWorkspace: "void ggml_gallocr_free(void *workspace)",
  allocGraph: "bool ggml_gallocr_alloc_graph(void *workspace, void *graph)",
  workspaceSize: "size_t ggml_gallocr_get_buffer_size(void *workspace, int buffer)",
} as const;

/** The registry of backends, in a library of its own. */
const registryFunctions = {
  loadBackends: "void ggml_backend_load_all_from_path(const char *folder)",
  deviceCount: "size_t ggml_backend_dev_count()",
  deviceAt: "void *ggml_backend_dev_get(size_t index)",
} as const;

type FunctionName = keyof typeof contextFunctions | keyof typeof backendFunctions | keyof typeof registryFunctions;

/** A C function: called directly, or on a thread of its own through `async`, whose last argument is a callback. */
export interface CFunction {
  (...values: readonly unknown[]): Pointer;
  readonly async: (...values: readonly unknown[]) => void;
}

export type Ggml = Readonly<Record<FunctionName, CFunction>>;

let loaded: { ggml: Ggml; folder: string } | undefined;

/** Loads ggml and registers its backends once per process. Throws a UserError that says what to install. */
export function loadGgml(): { ggml: Ggml; folder: string } {
  if (loaded) return loaded;
  const folder = findLibraries();
  const base = koffi.load(join(folder, libraryFile(folder, "ggml-base")));
  const version = base.func("const char *ggml_version()") as () => string;
  if (version() !== VERSION) {
    throw new UserError(
      `engine ggml: expected ggml ${VERSION} in ${folder}, found ${version()}; install the packages @node-llama-cpp/* in version ${PACKAGE_VERSION}`,
    );
  }
  koffi.struct("ggml_init_params", { memSize: "size_t", memBuffer: "void *", noAlloc: "bool" });
  const registry = koffi.load(join(folder, libraryFile(folder, "ggml")));
  const ggml: Ggml = {
    ...bind(base, contextFunctions),
    ...bind(base, backendFunctions),
    ...bind(registry, registryFunctions),
  };
  // ggml logs to stderr unless told otherwise; a function that ignores its arguments is the quietest logger.
  ggml.logSet(base.symbol("ggml_version", "void"), null);
  ggml.loadBackends(folder);
  loaded = { ggml, folder };
  return loaded;
}

function findLibraries(): string {
  const platform = `${process.platform}-${process.arch}`;
  const packages = platformPackages[platform] ?? [];
  const { resolve } = createRequire(import.meta.url);
  for (const name of packages) {
    try {
      const folder = join(dirname(resolve(`@node-llama-cpp/${name}`)), "..", "bins", name);
      if (existsSync(folder)) return folder;
    } catch {
      // Not installed: the next package may be.
    }
  }
  const wanted = packages.at(-1);
  throw new UserError(
    wanted
      ? `engine ggml: no library for ${platform}; run npm install @node-llama-cpp/${wanted}@${PACKAGE_VERSION}`
      : `engine ggml: no library exists for ${platform}; use engine tfjs`,
  );
}

/** libggml.so is libggml.v0.5.0.so in some packages: the exact name first, then the versioned one. */
function libraryFile(folder: string, name: string): string {
  const pattern = new RegExp(`^(lib)?${name}(\\.v[\\d.]+)?\\.(so|dylib|dll)$`);
  const file = readdirSync(folder).find((entry) => pattern.test(entry));
  if (!file)
    throw new UserError(`engine ggml: ${folder} holds no ${name} library; reinstall the package it belongs to`);
  return file;
}

function bind<Name extends string>(
  library: LibraryHandle,
  signatures: Readonly<Record<Name, string>>,
): Record<Name, CFunction> {
  const functions = Object.entries<string>(signatures).map(([name, signature]) => [name, library.func(signature)]);
  return Object.fromEntries(functions) as Record<Name, CFunction>;
}

/** Sets the threads of a CPU backend; other backends have no such procedure and are left alone. */
export function setThreads(ggml: Ggml, device: Pointer, backend: Pointer, threads: number): void {
  const procedure: Pointer = ggml.procedure(ggml.deviceRegistry(device), "ggml_backend_set_n_threads");
  if (procedure) koffi.call(procedure, koffi.proto("void (void *backend, int threads)"), backend, threads);
}
