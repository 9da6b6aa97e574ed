import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { reportText } from "../../src/cli/commands/check.ts";
import type { RuleReport } from "../../src/rules/check-experiment.ts";
import { evomerge } from "../cli/evomerge.ts";
import { nowhere } from "../hub/test-hub.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeTinyExperiment } from "../tiny-experiment.ts";

describe("evomerge check", () => {
  test("prints the verdicts and ends with 1 where a rule is broken", async () => {
    const folder = await temporaryFolder();
    await writeTinyExperiment(folder, { file: { budget: { time: "30h" } } });
    const { code, stdout, stderr } = await evomerge(folder, ["check", "tiny.yaml", "--json"]);
    expect(stderr).toMatch(/evomerge: tiny.yaml breaks these rules: budget\n$/);
    expect(code).toBe(1);
    const report: RuleReport = JSON.parse(stdout);
    expect(report.experiment).toBe("tiny");
    expect(report.findings.find(({ rule }) => rule === "budget")).toMatchObject({ verdict: "fail" });
    expect(Date.now() - Date.parse(report.date)).toBeLessThan(60_000);
  });

  test("ends with 0 for folders that are in order, which are yet to be published", async () => {
    const folder = await temporaryFolder();
    await writeTinyExperiment(folder);
    const { code, stdout } = await evomerge(folder, ["check", "tiny.yaml"]);
    expect(stdout).toMatch(/^ {2}warn +\S+base +a folder, not on the Hub yet; push it there before you submit$/m);
    expect(code).toBe(0);
  });

  test("ends with 1 where run would refuse the models", async () => {
    const folder = await temporaryFolder();
    await writeTinyExperiment(folder);
    for (const name of ["nature", "craft"]) await cp(join(folder, "base"), join(folder, name), { recursive: true });
    const { code, stderr } = await evomerge(folder, ["check", "tiny.yaml"]);
    expect(stderr).toMatch(
      /evomerge: tiny.yaml cannot be run: the experts nature and craft have the very weights of the base: .*\n$/,
    );
    expect(code).toBe(1);
  });

  test("tells of a folder that is no model, and counts it among the faults", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "nothing"));
    await writeTinyExperiment(folder, { file: { base: "./nothing" } });
    const { code, stdout, stderr } = await evomerge(folder, ["check", "tiny.yaml"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/tiny\.yaml cannot be run: \S+nothing\/config\.json: no such file/);
    expect(stdout).toMatch(/^\S+nothing\/config\.json: no such file/m);
    expect(stdout).toMatch(/^tiny, checked on \S+: \d+ fail, .*; 1 fault keeps it from being run$/m);
  });

  test("asks a network that is not there once for each model, and ends with 1", async () => {
    const folder = await temporaryFolder();
    await writeTinyExperiment(folder, { file: { base: "org/base", experts: ["org/a", "org/b"] } });
    const { url: HF_ENDPOINT } = await nowhere();
    const env = { HF_ENDPOINT, HF_HUB_CACHE: join(folder, "cache"), HF_TOKEN: "" };
    const { code, stdout, stderr } = await evomerge(folder, ["check", "tiny.yaml"], { env });
    expect(code).toBe(1);
    const reason = `org/base: there is no such folder, and no copy is in ${folder}/cache; ${HF_ENDPOINT}/api/models/org/base/revision/main: connection refused after 2 tries`;
    expect(stderr).toContain(
      `evomerge: tiny.yaml was not checked in full, since the Hub could not be asked about org/base, org/a, org/b: ${reason}`,
    );
    expect(stdout).toMatch(/ 0 fail, .*; the Hub could not be asked about 3$/m);
    expect(stdout).toMatch(/org\/a\/revision\/main: connection refused; check the network/);
    expect(stdout).toMatch(/^ {2}pass +quiz rows +16 rows, none like MMLU's$/m);
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
      unasked: [],
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
      first-try, checked on 2026-11-21: 1 fail, 0 warn, 1 unknown, 1 pass; 1 fault keeps it from being run"
    `);
  });
});
