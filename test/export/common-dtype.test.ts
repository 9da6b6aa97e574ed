import { describe, expect, test } from "vitest";
import { commonDtype } from "../../src/export/common-dtype.ts";

describe("commonDtype", () => {
  test("is that of most bytes, not of the first tensor nor of most tensors", () => {
    const norm = { dtype: "f32", shape: [16] } as const;
    const tensors = [
      { ...norm, name: "a" },
      { ...norm, name: "b" },
      { name: "c", dtype: "bf16", shape: [64, 16] } as const,
    ];
    expect(commonDtype(tensors)).toBe("bf16");
  });
});
