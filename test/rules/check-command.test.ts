import { describe, expect, test } from "vitest";
import { reportText } from "../../src/cli/commands/check.ts";
import type { RuleReport } from "../../src/rules/check-experiment.ts";
import { evomerge } from "../cli/evomerge.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeTinyExperiment } from "../tiny-experiment.ts";

describe("evomerge check", () => {
  test("prints the verdicts and ends with 1 where a rule is broken", async () => {
    const folder = await temporaryFolder();
    await writeTinyExperiment(folder);
    const began = Date.now();
    const { code, stdout, stderr } = await evomerge(folder, ["check", "tiny.yaml", "--json"]);
    expect(stderr).toMatch(/evomerge: tiny.yaml breaks these rules: public\n$/);
    expect(code).toBe(1);
    const report: RuleReport = JSON.parse(stdout);
    expect(report.experiment).toBe("tiny");
    expect(report.findings[0]).toMatchObject({ rule: "public", verdict: "fail" });
    expect(Date.parse(report.date)).toBeGreaterThanOrEqual(began);
  });
});

describe("reportText", () => {
  test("groups the findings by rule", () => {
    const finding = { rule: "size", title: "Models have up to 8 billion parameters", evidence: "7 billion" } as const;
    const report: RuleReport = {
      experiment: "first-try",
      date: "2026-11-21T10:00:00.000Z",
      findings: [
        { ...finding, subject: `org/base@${"0123456789abcdef".repeat(3).slice(0, 40)}`, verdict: "pass" },
        { ...finding, subject: "org/longer", verdict: "unknown", evidence: "not said" },
        {
          rule: "budget",
          title: "The search takes at most 24 h",
          subject: "the merge",
          verdict: "fail",
          evidence: "30 h",
        },
      ],
      cannotScore: ["org/longer is a t5 model; evomerge scores llama and mistral models so far"],
      notices: ["the expert b has the very weights of the base"],
    };
    expect(reportText(report)).toMatchInlineSnapshot(`
      "Models have up to 8 billion parameters (size)
        pass     org/base@0123456789ab  7 billion
        unknown  org/longer             not said
      The search takes at most 24 h (budget)
        fail     the merge              30 h

      org/longer is a t5 model; evomerge scores llama and mistral models so far
      note: the expert b has the very weights of the base
      first-try, checked on 2026-11-21: 1 fail, 0 warn, 1 unknown, 1 pass"
    `);
  });
});
