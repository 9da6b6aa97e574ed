/**
 * Products of f32 in f32. On GPUs the libraries under the engines round the factors first: cuBLAS to TF32, under ggml and
 * TensorFlow alike, and ggml's Vulkan kernels to f16. Both keep ten bits of a fraction where f32 keeps 23.
 * @module
 */
import type { Dtype } from "../tensor/dtype.ts";
import { UserError } from "../errors.ts";
import type { Device } from "./device.ts";

/** Environment variables that libraries read when they first use a GPU, and what makes them exact. */
const switches: Readonly<Record<string, string>> = {
  // cuBLAS and cuDNN, whatever a program asks of them; ggml asks for TF32 always, TensorFlow by default.
  NVIDIA_TF32_OVERRIDE: "0",
  // ggml on Vulkan: the plain kernels, then those on matrix units, through either extension.
  GGML_VK_DISABLE_F16: "1",
  GGML_VK_DISABLE_COOPMAT: "1",
  GGML_VK_DISABLE_COOPMAT2: "1",
};

/** Whether the first GPU of this process was opened for f32. */
let exact: boolean | undefined;

/**
 * Opens a device for products of a precision, of which auto leaves open how f32 is multiplied. Throws a UserError where this
 * process already uses a GPU for less than f32, which the libraries cannot change.
 */
export async function openForPrecision<Opened extends { readonly device: Device }>(
  precision: Dtype | "auto",
  open: () => Promise<Opened>,
): Promise<Opened> {
  const wanted = precision === "f32";
  if (wanted) for (const [name, value] of Object.entries(switches)) process.env[name] ??= value;
  const opened = await open();
  const { device } = opened;
  if (device.kind === "cpu") return opened;
  exact ??= wanted;
  if (exact || !wanted) return opened;
  await device[Symbol.asyncDispose]();
  throw new UserError(
    `precision f32: expected ${device.name} to be new to this process, found it in use with rounded products; start another process`,
  );
}
