import { describe, expect, test } from "vitest";
import { multipliesBf16 } from "../../src/device/ggml/cpu-features.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { precisions } from "../../src/experiment/experiment.ts";
import { inPrecisionOf } from "../../src/experiment/identity.ts";
import { productDtypes, resolvePrecision } from "../../src/experiment/precision.ts";
import { openWorkspace, type Workspace } from "../../src/experiment/workspace.ts";
import type { Dtype } from "../../src/tensor/dtype.ts";
import { ObservedDevice } from "../evaluate/observed-device.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment } from "../tiny-experiment.ts";

/** On a CPU that says of itself what multiplies fastest. */
async function openOn(fastestProducts: Dtype, precision: string): Promise<Workspace> {
  const experiment = await tinyExperiment(await temporaryFolder(), { file: { precision } });
  const device = new ObservedDevice(await openGgml({ backend: "cpu" }));
  device.fastestProducts = fastestProducts;
  return openWorkspace(experiment, { engine: { device, why: "a test" } });
}

describe("precision", () => {
  test.each([
    { kind: "cpu", fastestProducts: "f32", auto: "f32", exact: "f32", signal: "f32" },
    { kind: "cpu", fastestProducts: "bf16", auto: "mixed", exact: "f32", signal: "bf16" },
    { kind: "gpu", fastestProducts: "bf16", auto: "bf16", exact: "bf16", signal: "bf16" },
  ] as const)(
    "auto is $auto on a $kind that multiplies $fastestProducts fastest",
    ({ auto, exact, signal, ...device }) => {
      expect(resolvePrecision("auto", device)).toBe(auto);
      expect(productDtypes(auto)).toEqual({ exact, signal });
      for (const named of precisions) if (named !== "auto") expect(resolvePrecision(named, device)).toBe(named);
    },
  );

  test("takes bf16 for fast where ggml's code for the CPU has the instructions", () => {
    expect(multipliesBf16(new Map([["AVX512_BF16", "1"]]))).toBe(true);
    expect(multipliesBf16(new Map([["AVX512_BF16", "0"]]))).toBe(false);
    expect(multipliesBf16(new Map([["AVX512", "1"]]))).toBe(false);
  });

  test("of a run that goes on is the one that it began in", async () => {
    const experiment = await tinyExperiment(await temporaryFolder(), { file: { precision: "auto" } });
    expect(inPrecisionOf({ precision: "mixed" }, experiment)).toEqual({ ...experiment, precision: "mixed" });
    expect(inPrecisionOf({ precision: "f32" }, experiment)).toEqual({ ...experiment, precision: "f32" });
    // What no version has written is left to the comparison of identities.
    for (const other of ["auto", "f64"]) expect(inPrecisionOf({ precision: other }, experiment)).toEqual(experiment);
  });
});

describe("the evaluators of a workspace", () => {
  test.each([
    { fastest: "f32", wanted: "auto", precision: "f32" },
    { fastest: "bf16", wanted: "f32", precision: "f32" },
    { fastest: "f32", wanted: "bf16", precision: "bf16" },
  ] as const)("are one where $wanted is $precision", async ({ fastest, wanted, precision }) => {
    await using workspace = await openOn(fastest, wanted);
    expect(workspace.precision).toBe(precision);
    expect(workspace.signal).toBe(workspace.evaluator);
  });

  test("score as f32 and bf16 do where auto is mixed, and share parents and tokens", async () => {
    await using mixed = await openOn("bf16", "auto");
    expect(mixed.precision).toBe("mixed");
    await using f32 = await openOn("bf16", "f32");
    await using bf16 = await openOn("bf16", "bf16");
    const text = { kind: "text", context: "a fox met a crow.", continuations: [" Two met."], label: 0 } as const;
    const rows = { news: [{ ...text, id: "one", passage: "one", group: "one" }] };
    const recipes = [{ method: "passthrough", model: "craft" }] as const;
    // At once: they take turns at the parents.
    const [exact, signal] = await Promise.all([
      mixed.evaluator.evaluate(recipes, rows),
      mixed.signal.evaluate(recipes, rows),
    ]);
    expect(exact).toEqual(await f32.evaluator.evaluate(recipes, rows));
    expect(signal).toEqual(await bf16.evaluator.evaluate(recipes, rows));
    expect(signal).not.toEqual(exact);
    // The tokenizer is gone: what one has tokenised the other must know.
    await mixed.tokenizer[Symbol.asyncDispose]();
    await mixed.signal.prepare(rows.news);
  });
});
