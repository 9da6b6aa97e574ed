import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { readFile, writeFile } from "node:fs/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { openGgml } from "../../../../src/device/ggml/engine.ts";
import { findProducts } from "../../../../src/device/ggml/products/find-products.ts";
import { temporaryFolder } from "../../../temporary-folder.ts";
import { productLibraries } from "../product-libraries.ts";

const onLinuxX64 = process.platform === "linux" && process.arch === "x64";

function ggmlFolder(): string {
  return join(dirname(createRequire(import.meta.url).resolve("@node-llama-cpp/linux-x64")), "../bins/linux-x64");
}

afterEach(() => vi.unstubAllEnvs());

describe("findProducts", () => {
  test("takes what EVOMERGE_PRODUCTS names: ggml is none", async () => {
    vi.stubEnv("EVOMERGE_PRODUCTS", "ggml");
    expect(await findProducts()).toEqual({ problems: [] });
    await using device = await openGgml({ backend: "cpu" });
    expect(device.name).toMatch(/^ggml on CPU \(.+\)$/);
  });

  test("refuses a file that is not there, and an engine that should compute with it", async () => {
    vi.stubEnv("EVOMERGE_PRODUCTS", "/nowhere/libdnnl.so.3");
    const refusal =
      /^EVOMERGE_PRODUCTS: expected a library of oneDNN, PyTorch, ONNX Runtime or OpenBLAS, or ggml; \/nowhere\/libdnnl\.so\.3: Failed to load/;
    await expect(findProducts()).rejects.toThrow(refusal);
    await expect(openGgml({ backend: "cpu" })).rejects.toThrow(refusal);
  });

  test("refuses a file that is no library", async () => {
    const file = join(await temporaryFolder(), "libdnnl.so.3");
    await writeFile(file, "not a library");
    await expect(findProducts(file)).rejects.toThrow(`; ${file}: Failed to load`);
  });

  test.skipIf(!onLinuxX64)(
    "refuses a library of which the end is missing before it is loaded (on Linux x64)",
    async () => {
      const whole = await readFile(join(ggmlFolder(), "libggml-base.so"));
      const folder = await temporaryFolder();
      for (const length of [40, 64, 4096, whole.length >> 1, whole.length - 1]) {
        const file = join(folder, `lib${length}.so`);
        await writeFile(file, whole.subarray(0, length));
        await expect(findProducts(file)).rejects.toThrow(
          new RegExp(`${file}: it has ${length} bytes of at least \\d+; install`),
        );
      }
    },
  );

  test.skipIf(!onLinuxX64)("looks at one that LD_LIBRARY_PATH leads to, too (on Linux x64)", async () => {
    const folder = await temporaryFolder();
    const whole = await readFile(join(ggmlFolder(), "libggml-base.so"));
    await writeFile(join(folder, "libpart.so.1"), whole.subarray(0, 5000));
    vi.stubEnv("LD_LIBRARY_PATH", `/nowhere:${folder}`);
    await expect(findProducts("libpart.so.1")).rejects.toThrow(
      `libpart.so.1: ${join(folder, "libpart.so.1")} has 5000 bytes of at least`,
    );
  });

  test.skipIf(!onLinuxX64)("refuses another library (the fixture is for Linux x64)", async () => {
    const file = join(ggmlFolder(), "libggml-base.so");
    await expect(findProducts(file)).rejects.toThrow(
      `${file}: found no functions of oneDNN, PyTorch, ONNX Runtime or OpenBLAS`,
    );
  });

  test("leaves the threads of programs that it starts alone", async () => {
    vi.stubEnv("OMP_NUM_THREADS", "7");
    vi.stubEnv("OPENBLAS_NUM_THREADS", undefined);
    await findProducts("").catch(() => {});
    expect(process.env["OMP_NUM_THREADS"]).toBe("7");
    expect("OPENBLAS_NUM_THREADS" in process.env).toBe(false);
  });

  test.each(productLibraries)("names $name in the name of the device", async ({ name, file, library }) => {
    await using device = await openGgml({ backend: "cpu", products: file });
    expect(device.name).toMatch(/^ggml on CPU \(.+\), products by .+$/);
    expect(device.name).toContain(`products by ${name}`);
    expect(device.fastestProducts).toBe(library.leastRows.bf16 === undefined ? "f32" : "bf16");
  });
});
