import { describe, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { openForPrecision } from "../../src/device/exact-f32.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { UserError } from "../../src/errors.ts";
import { describeEngine } from "./engine-contract.ts";
import { tolerances, type Precision } from "./tolerances.ts";

/**
 * Registers the contract of ggml on a GPU that is opened for a precision, in a test file of its own: a process has one. Where
 * there is none, a test is skipped with the reason.
 */
export async function describeGpu(precision: Precision): Promise<void> {
  const open = async (): Promise<Device> => {
    const { device } = await openForPrecision(precision, async () => ({ device: await openGgml({ backend: "gpu" }) }));
    return device;
  };
  const found = await open().catch((error: unknown) => {
    if (error instanceof UserError) return error;
    throw error;
  });
  if (found instanceof UserError) {
    describe(`ggml on a GPU for ${precision}`, () => {
      test("passes the contract", ({ skip }) => skip(found.message));
    });
    return;
  }
  const { name } = found;
  await found[Symbol.asyncDispose]();
  const api = (["CUDA", "Vulkan", "Metal"] as const).find((api) => name.includes(api));
  if (!api) throw new Error(`${name}: expected a row of tolerances for it`);
  describeEngine(`${name} for ${precision}`, open, tolerances[`ggml, ${api}`][precision]);
}
