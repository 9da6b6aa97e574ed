/** What is called of CUDA's driver (cuda.h): it compiles kernels from their text and starts them in the memory that ggml's backend has them in. */
import type { LibraryHandle } from "koffi";
import { OutOfMemory } from "../../../errors.ts";
import { functionIn, type PlacedFunction } from "../c-functions.ts";
import type { Pointer } from "../library.ts";
import { loadLibrary } from "../load-library.ts";

const signatures = {
  init: "int cuInit(uint flags)",
  pointerAttribute: "int cuPointerGetAttribute(_Out_ int *value, int attribute, uint64_t pointer)",
  deviceAt: "int cuDeviceGet(_Out_ int *device, int ordinal)",
  deviceAttribute: "int cuDeviceGetAttribute(_Out_ int *value, int attribute, int device)",
  retainContext: "int cuDevicePrimaryCtxRetain(_Out_ void **context, int device)",
  releaseContext: "int cuDevicePrimaryCtxRelease_v2(int device)",
  pushContext: "int cuCtxPushCurrent_v2(void *context)",
  popContext: "int cuCtxPopCurrent_v2(_Out_ void **context)",
  setContext: "int cuCtxSetCurrent(void *context)",
  loadModule: "int cuModuleLoadDataEx(void *module, void *text, uint count, void *options, void *values)",
  unloadModule: "int cuModuleUnload(void *module)",
  functionOf: "int cuModuleGetFunction(void *function, void *module, void *name)",
  copy: "int cuMemcpyHtoDAsync_v2(uint64_t to, void *from, size_t bytes, void *stream)",
  launch:
    "int cuLaunchKernel(void *kernel, uint blocksX, uint blocksY, uint blocksZ, uint threadsX, uint threadsY, uint threadsZ, uint sharedBytes, void *stream, void *parameters, void *extra)",
  synchronize: "int cuStreamSynchronize(void *stream)",
  errorText: "int cuGetErrorString(int error, _Out_ const char **text)",
} as const;

export type CudaDriver = Readonly<Record<keyof typeof signatures, PlacedFunction>>;

/** CUDA_ERROR_OUT_OF_MEMORY. */
const OUT_OF_MEMORY = 2;

/** CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, and CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR. */
const [DEVICE_ORDINAL, CAPABILITY_MAJOR] = [9, 75];

/** The context in which all that this process does on a GPU is done, CUDA's runtime included. */
export interface CudaContext {
  readonly driver: CudaDriver;
  readonly device: number;
  readonly context: Pointer;
}

/** The driver; undefined where there is none, or one that lacks something. */
export async function loadDriver(): Promise<CudaDriver | undefined> {
  let library: LibraryHandle;
  try {
    library = await loadLibrary(process.platform === "win32" ? "nvcuda.dll" : "libcuda.so.1");
    const functions = Object.entries(signatures).map(([name, signature]) => [name, functionIn(library, signature)]);
    return Object.fromEntries(functions) as CudaDriver;
  } catch {
    return undefined;
  }
}

/** The context that memory of CUDA's at an address belongs to, to be closed; undefined where it is no such memory, or the GPU is older than asked for. */
export function contextOf(driver: CudaDriver, address: bigint, leastCapability: number): CudaContext | undefined {
  if (Number(driver.init(0)) !== 0) return undefined;
  const numberBy = (name: "pointerAttribute" | "deviceAttribute", attribute: number, of: bigint | number): number => {
    const value = [0];
    return Number(driver[name](value, attribute, of)) === 0 ? Number(value[0]) : NaN;
  };
  const ordinal = numberBy("pointerAttribute", DEVICE_ORDINAL, address);
  const device = [0];
  if (Number.isNaN(ordinal) || Number(driver.deviceAt(device, ordinal)) !== 0) return undefined;
  const [id = 0] = device;
  if (!(numberBy("deviceAttribute", CAPABILITY_MAJOR, id) >= leastCapability)) return undefined;
  const context: Pointer[] = [null];
  if (Number(driver.retainContext(context, id)) !== 0) return undefined;
  return { driver, device: id, context: context[0] };
}

/** Does work of this thread within a context. */
export function within<T>({ driver, context }: CudaContext, work: () => T): T {
  checkResult(driver, driver.pushContext(context));
  try {
    return work();
  } finally {
    driver.popContext([null]);
  }
}

function checkResult(driver: CudaDriver, result: unknown): void {
  if (Number(result) !== 0) throw cudaError(driver, result);
}

/** What a call that returned this says of itself. */
export function cudaError(driver: CudaDriver, result: unknown, more = ""): Error {
  const text = [""];
  const isKnown = Number(driver.errorText(Number(result), text)) === 0;
  const said = `${isKnown ? String(text[0]) : "an unknown error"} (${String(result)})${more}`;
  if (result === OUT_OF_MEMORY)
    return new OutOfMemory("CUDA: out of memory for a kernel", `; its driver said: ${said}`);
  return new Error(`CUDA: a kernel of elementwise operations failed: ${said}`);
}
