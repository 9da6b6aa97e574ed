import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { apiReport, apiReportText } from "./api-report.ts";

const report = apiReport();

describe("the public API", () => {
  test("is as docs/api.d.ts says, which write-api-report.ts writes", () => {
    expect(apiReportText(report)).toBe(readFileSync(join(import.meta.dirname, "../../docs/api.d.ts"), "utf8"));
  });

  test("names what programs call and what they are given", () => {
    const names = [
      "loadSpace",
      "openExperiment",
      "OpenedExperiment",
      "mergeModels",
      "launchRun",
      "readRunView",
      "Recipe",
    ];
    expect(names.filter((name) => !report.exported.has(name))).toEqual([]);
    expect(report.exported.get("Recipe")).toContain("WeightwiseRecipe | StackRecipe");
  });

  test("leads to nothing that is inside only: devices, checkpoints, workspaces", () => {
    const inside = ["Checkpoint", "Workspace", "Evaluator", "Scorer", "ParentWeights"];
    expect(inside.filter((name) => report.reached.has(name) || report.exported.has(name))).toEqual([]);
  });
});
