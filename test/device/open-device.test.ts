import { afterEach, describe, expect, test, vi } from "vitest";
import { describeIdle } from "../../src/device/ggml/missing-gpu.ts";
import { alikeIn, nvidiaGpus, showingOneGpu } from "../../src/device/nvidia.ts";
import { openDevice } from "../../src/device/open-device.ts";
import { fakeNvidiaSmi } from "./fake-nvidia-smi.ts";
import { hasGpuPackage } from "./installed-package.ts";

const H100 = "580.95.05, 80994, NVIDIA H100 80GB HBM3";

afterEach(() => vi.unstubAllEnvs());

test("nvidiaGpus lists what the driver's tool does, and nothing of what it complains", async () => {
  await fakeNvidiaSmi(H100, "NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.");
  expect(await nvidiaGpus()).toEqual([
    { name: "NVIDIA H100 80GB HBM3", driver: "580.95.05", freeBytes: 80_994 * 2 ** 20 },
  ]);
});

test("nvidiaGpus tells free memory as not known, rather than as none", async () => {
  await fakeNvidiaSmi("580.95.05, [N/A], NVIDIA GB10", "580.95.05, 0, NVIDIA H100 80GB HBM3");
  expect((await nvidiaGpus()).map(({ freeBytes }) => freeBytes)).toEqual([undefined, undefined]);
});

test("nvidiaGpus lists only what CUDA may use", async () => {
  await fakeNvidiaSmi("580.95.05, 7, NVIDIA T4", H100);
  vi.stubEnv("CUDA_VISIBLE_DEVICES", "1");
  expect((await nvidiaGpus()).map(({ name }) => name)).toEqual(["NVIDIA H100 80GB HBM3"]);
  vi.stubEnv("CUDA_VISIBLE_DEVICES", undefined);
  expect(await nvidiaGpus()).toHaveLength(2);
});

test("alikeIn finds the GPUs of the first one's name", () => {
  expect(alikeIn([{ name: "A" }, { name: "B" }, { name: "A" }])).toEqual([0, 2]);
  expect(alikeIn([])).toEqual([]);
});

async function seenByCuda(): Promise<readonly (string | undefined)[]> {
  return [process.env["CUDA_VISIBLE_DEVICES"], process.env["CUDA_DEVICE_ORDER"]];
}

test.each([
  [undefined, "PCI_BUS_ID", "1"],
  ["3,GPU-8f2,0", undefined, "GPU-8f2"],
  ["3", undefined, ""],
  ["", undefined, ""],
])("of the GPUs %j a library is shown one, and processes that follow all", async (visible, order, shown) => {
  vi.stubEnv("CUDA_VISIBLE_DEVICES", visible);
  vi.stubEnv("CUDA_DEVICE_ORDER", undefined);
  expect(await showingOneGpu(1, seenByCuda)).toEqual([shown, order]);
  expect(await seenByCuda()).toEqual([visible, undefined]);
});

test.each([
  [
    "580.95.05",
    "run npm install --save-exact @node-llama-cpp/linux-x64-cuda@3.22.1, which wants CUDA 13 (libcudart.so.13, libcublas.so.13) on the system",
  ],
  [
    "570.124",
    "run npm install --save-exact @node-llama-cpp/linux-x64-cuda-ext@3.22.1, which wants CUDA 12 (libcudart.so.12, libcublas.so.12) on the system",
  ],
  ["470.1", "the packages want driver 525 or newer"],
])("a GPU with driver %s and no package: %s", (driver, advice) => {
  expect(describeIdle({ name: "NVIDIA A100", driver, freeBytes: 0 }, "linux-x64")).toBe(
    `nvidia-smi lists NVIDIA A100 (driver ${driver}), and no installed package can use it; ${advice}`,
  );
});

test("a GPU on a platform without a package for it", () => {
  expect(describeIdle({ name: "NVIDIA GB10", driver: "580.1", freeBytes: 0 }, "linux-arm64")).toBe(
    "nvidia-smi lists NVIDIA GB10 (driver 580.1), and no installed package can use it; there is none for linux-arm64",
  );
});

describe.skipIf(hasGpuPackage)("openDevice (where no package for GPUs is installed)", () => {
  test.each(["auto", "ggml"] as const)("%s: tells of a GPU that stays idle, and computes on the CPU", async (name) => {
    await fakeNvidiaSmi(H100);
    const { device, notices } = await openDevice(name);
    await device[Symbol.asyncDispose]();
    expect(device.kind).toBe("cpu");
    expect(notices).toEqual([
      expect.stringMatching(
        /^engine ggml: nvidia-smi lists NVIDIA H100 80GB HBM3 \(driver 580\.95\.05\), .+; ggml on CPU .+ takes its place$/,
      ),
    ]);
  });

  test("opens nothing else in the place of one of several GPUs", async () => {
    await fakeNvidiaSmi();
    const opened = openDevice("auto", { kind: "gpu", index: 1 });
    await expect(opened).rejects.toThrow("engine ggml: no GPU was found");
  });

  test("says nothing of what nobody installed", async () => {
    await fakeNvidiaSmi();
    const { device, why, notices } = await openDevice("auto");
    await device[Symbol.asyncDispose]();
    expect({ why, notices }).toEqual({ why: "no GPU can be used", notices: [] });
  });
});

test.skipIf(hasGpuPackage)(
  "auto takes no other engine in the place of one whose library for products was named in vain",
  async () => {
    vi.stubEnv("EVOMERGE_PRODUCTS", "/nowhere/libdnnl.so.3");
    await expect(openDevice("auto")).rejects.toThrow(
      /^EVOMERGE_PRODUCTS: expected a library .+\/nowhere\/libdnnl\.so\.3/,
    );
  },
);
