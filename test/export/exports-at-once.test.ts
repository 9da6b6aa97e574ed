import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchRun } from "../../src/run/launch-run.ts";
import { interrupt } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment } from "../tiny-experiment.ts";
import { Exporter, faultsOf } from "./exporting.ts";

/** How often three processes export at once; EVOMERGE_EXPORT_ROUNDS asks for more, and for how each ended. */
const ROUNDS = Number(process.env["EVOMERGE_EXPORT_ROUNDS"] ?? 3);

let models: string;
let runs: readonly string[];
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "evomerge-"));
  const experiment = await tinyExperiment(models, { file: { budget: { evaluations: 5 } } });
  runs = ["finished", "begun"].map((name) => join(models, name));
  await launchRun(experiment, runs[0]!);
  await interrupt(experiment, runs[1]!, ({ type }) => type === "planned");
});
afterAll(() => rm(models, { recursive: true, force: true }));

describe("exports at once", () => {
  test(
    `of three processes to one place leave one whole model, ${ROUNDS} times, however its path is spelt`,
    async () => {
      let exporters = threeExporters();
      const ends: string[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const folder = await temporaryFolder();
        mkdirSync(join(folder, "out"));
        symlinkSync("out/model", join(folder, "link"));
        const spellings = [join(folder, "out", "model"), `${folder}/out/../out/model/`, join(folder, "link")];
        const now = exporters;
        exporters = threeExporters();
        const outcomes = await Promise.all(
          now.map(async (exporter, i) => {
            // At once, or nearly so.
            await sleep(Math.random() < 0.5 ? 0 : Math.random() * 100);
            return exporter.export(runs[i % 2]!, spellings[i]!);
          }),
        );
        ends.push(outcomes.map((outcome) => (outcome === "exported" ? "exported" : "refused")).join(" "));
        const said = `round ${round}: ${outcomes.join("; ")}`;
        expect(outcomes, said).toContain("exported");
        for (const outcome of outcomes) {
          expect(outcome, said).toMatch(
            /^exported$|^UserError: .* is being exported to by process \d+ on .*; wait for it or stop it$/,
          );
        }
        expect(faultsOf(join(folder, "out", "model")), said).toEqual([]);
        expect(readdirSync(join(folder, "out")), said).toEqual(["model"]);
        expect(readdirSync(folder).toSorted(), said).toEqual(["link", "out"]);
      }
      if (process.env["EVOMERGE_EXPORT_ROUNDS"]) process.stdout.write(`${ends.join("\n")}\n`);
    },
    600_000 + ROUNDS * 120_000,
  );
});

function threeExporters(): readonly Exporter[] {
  return Array.from({ length: 3 }, () => new Exporter());
}
