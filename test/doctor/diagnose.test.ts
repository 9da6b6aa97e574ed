import { afterEach, describe, expect, test, vi } from "vitest";
import { diagnose } from "../../src/doctor/diagnose.ts";
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
