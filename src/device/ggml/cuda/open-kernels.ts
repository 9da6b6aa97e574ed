import type { Ggml, Pointer } from "../library.ts";
import { CompiledTexts } from "./compiled.ts";
import { type CudaContext, contextOf, loadDriver } from "./driver.ts";
import { LEAST_CAPABILITY } from "./ptx.ts";

/** Of memory that is asked whose it is. */
const BYTES = 4096;

/** What compiles kernels for a device; undefined where it is none of CUDA's, or older than they are for. Then ggml computes each operation by itself. */
export async function openKernels(ggml: Ggml, device: Pointer): Promise<CompiledTexts | undefined> {
  if (!/^CUDA\d/.test(String(ggml.deviceName(device)))) return undefined;
  const cuda = await contextOfDevice(ggml, device);
  return cuda && new CompiledTexts(cuda);
}

/** By memory of the device: the number that ggml gives it need not be the driver's. */
async function contextOfDevice(ggml: Ggml, device: Pointer): Promise<CudaContext | undefined> {
  const driver = await loadDriver();
  const buffer = driver && ggml.allocBuffer(ggml.deviceBufferType(device), BYTES);
  if (!buffer) return undefined;
  try {
    return contextOf(driver, ggml.bufferBase(buffer) as bigint, LEAST_CAPABILITY);
  } finally {
    ggml.freeBuffer(buffer);
  }
}
