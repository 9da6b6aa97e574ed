import { describe, expect, test } from "vitest";
import { diagnose } from "../../src/doctor/diagnose.ts";

describe("diagnose", () => {
  test("looks at everything a run may need, and says what works", async () => {
    const findings = await diagnose();
    expect(findings.map(({ name }) => name)).toEqual([
      "node",
      "memory",
      "disk",
      "engine tfjs-node-gpu",
      "engine tfjs-node",
      "engine tfjs",
      "engine ggml",
      "engine auto",
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
