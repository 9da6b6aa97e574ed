import { afterEach, describe, expect, test, vi } from "vitest";
import { diagnose } from "../../src/doctor/diagnose.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import { productLibraries } from "../device/ggml/product-libraries.ts";
import { fakeNvidiaSmi } from "../device/fake-nvidia-smi.ts";
import { hasGpuPackage } from "../device/installed-package.ts";

afterEach(() => vi.unstubAllEnvs());

describe("diagnose", () => {
  test("looks at everything a run may need, and says what works", async () => {
    const findings = await diagnose();
    const always = findings.filter(({ name }) => !name.startsWith("package "));
    expect(always.map(({ name }) => name)).toEqual([
      "node",
      "memory",
      "disk",
      "engine tfjs-node-gpu",
      "engine tfjs-node",
      "engine tfjs",
      "engine ggml",
      "engine auto",
      "products",
      "gpu",
      "lm_eval",
      "hub cache",
      "hub token",
    ]);
    const byName = new Map(findings.map((finding) => [finding.name, finding]));
    expect(byName.get("node")).toEqual({
      name: "node",
      works: true,
      detail: `${process.version} on ${process.platform}-${process.arch}`,
    });
    expect(byName.get("engine auto")!.detail).toMatch(/^takes .+, because .+$/);
    for (const { name, detail } of findings) expect(detail, name).not.toBe("");
  });

  test("says what multiplies matrices, or why nothing else does than ggml", async () => {
    const name = "products";
    expect(await productsBy("ggml")).toEqual({ name, works: true, detail: "ggml's own, as EVOMERGE_PRODUCTS says" });
    const refusal = /^EVOMERGE_PRODUCTS: expected a library .+; \/nowhere\/libdnnl\.so: Failed to load/;
    expect(await productsBy("/nowhere/libdnnl.so")).toEqual({
      name,
      works: false,
      detail: expect.stringMatching(refusal),
    });
    for (const { name: library, file } of productLibraries) {
      const detail = expect.stringMatching(
        new RegExp(`^${library} \\(${file}\\) for f32( and bf16|; on CPUs with .+)?$`),
      );
      expect(await productsBy(file)).toEqual({ name, works: true, detail });
    }
  });

  test.skipIf(hasGpuPackage)("tells of a GPU without a package, and which to install", async () => {
    await fakeNvidiaSmi("570.124.06, 80994, NVIDIA H100 80GB HBM3");
    const findings = await diagnose();
    expect(findings.find(({ name }) => name === "gpu")).toEqual({
      name: "gpu",
      works: false,
      detail: expect.stringMatching(
        /^nvidia-smi lists NVIDIA H100 80GB HBM3 \(driver 570\.124\.06\), and no installed /,
      ),
    });
  });

  test("finds a token in the environment without showing it", async () => {
    const before = process.env["HF_TOKEN"];
    process.env["HF_TOKEN"] = "hf_secret";
    try {
      const findings = await diagnose();
      expect(findings.find(({ name }) => name === "hub token")).toEqual({
        name: "hub token",
        works: true,
        detail: "in HF_TOKEN",
      });
      expect(JSON.stringify(findings)).not.toContain("hf_secret");
    } finally {
      if (before === undefined) delete process.env["HF_TOKEN"];
      else process.env["HF_TOKEN"] = before;
    }
  });
});

async function productsBy(named: string): Promise<Finding | undefined> {
  vi.stubEnv("EVOMERGE_PRODUCTS", named);
  return (await diagnose()).find(({ name }) => name === "products");
}
