import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { openForPrecision } from "../../src/device/exact-f32.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { ObservedDevice } from "../evaluate/observed-device.ts";

const switches = ["NVIDIA_TF32_OVERRIDE", "GGML_VK_DISABLE_F16", "GGML_VK_DISABLE_COOPMAT", "GGML_VK_DISABLE_COOPMAT2"];
const values = (): (string | undefined)[] => switches.map((name) => process.env[name]);

beforeEach(() => {
  for (const name of switches) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** The CPU under the name of a GPU, which is all that is looked at here. */
class Gpu extends ObservedDevice {
  override kind = "gpu" as const;
}

const openCpu = async (): Promise<{ device: Device }> => ({ device: await openGgml({ backend: "cpu" }) });
const openGpu = async (): Promise<{ device: Device }> => ({ device: new Gpu((await openCpu()).device) });

test("f32 is asked of the libraries before they start, unless the user has decided", async () => {
  vi.stubEnv("GGML_VK_DISABLE_COOPMAT2", "user");
  let atStart: (string | undefined)[] = [];
  const { device } = await openForPrecision("f32", () => {
    atStart = values();
    return openCpu();
  });
  await device[Symbol.asyncDispose]();
  expect(atStart).toEqual(["0", "1", "1", "user"]);
});

test.each(["auto", "bf16"] as const)("%s leaves the libraries as they are", async (precision) => {
  const { device } = await openForPrecision(precision, openCpu);
  await device[Symbol.asyncDispose]();
  expect(values()).toEqual(switches.map(() => undefined));
});

test("a GPU in use with rounded products is refused for f32, a CPU is not", async () => {
  const precisions = ["bf16", "f32", "auto"] as const;
  for (const precision of precisions) {
    const { device } = await openForPrecision(precision, openCpu);
    await device[Symbol.asyncDispose]();
  }
  const { device } = await openForPrecision("auto", openGpu);
  await device[Symbol.asyncDispose]();
  let refused: Device | undefined;
  const opening = openForPrecision("f32", async () => {
    const opened = await openGpu();
    refused = opened.device;
    return opened;
  });
  await expect(opening).rejects.toMatchObject({
    name: "UserError",
    message: `precision f32: expected ${device.name} to be new to this process, found it in use with rounded products; start another process`,
  });
  await expect(refused!.read({ dtype: "f32", shape: [1] })).rejects.toThrow(/ is closed/);
});
