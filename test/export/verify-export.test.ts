import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { loadTasks } from "../../src/experiment/load-tasks.ts";
import { launchRun } from "../../src/run/run-experiment.ts";
import { BASE, openWorkspace } from "../../src/experiment/workspace.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { verifyExport } from "../../src/export/verify-export.ts";
import { Journal, readJournal } from "../../src/journal/journal.ts";
import type { JournalRecord, StartRecord } from "../../src/journal/records.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment } from "../tiny-experiment.ts";

describe("verifyExport", () => {
  test("accepts a folder that holds the recipe's weights, and not one in which a single weight differs", async () => {
    const folder = await temporaryFolder();
    const experiment = await tinyExperiment(folder);
    await using workspace = await openWorkspace(experiment);
    const tasks = await loadTasks(experiment, workspace.evaluator);
    const recipe = { method: "passthrough", model: BASE } as const;
    const written = join(folder, "written");
    await cp(experiment.base, written, { recursive: true });
    await verifyExport(workspace, { experiment, recipe, tasks }, written);

    const path = join(written, "model.safetensors");
    const bytes = await readFile(path);
    // The sign of the last weight in bf16.
    bytes[bytes.length - 1]! ^= 0x80;
    await writeFile(path, bytes);
    await expect(verifyExport(workspace, { experiment, recipe, tasks }, written)).rejects.toThrow(
      new UserError(
        `${written}: the written model scores otherwise than the merge it was made of; check the disk and export again`,
      ),
    );
  });
});

describe("exportRun", () => {
  test("refuses weights other than those of the verdict", async () => {
    const folder = await temporaryFolder();
    const run = join(folder, "run");
    await launchRun(await tinyExperiment(folder, { file: { budget: { evaluations: 5 } } }), run);
    const changed = join(folder, "changed");
    changeDigest(run, changed);
    await expect(exportRun(changed)).rejects.toThrow(
      /^.*changed: the merged weights have digest [0-9a-f]{64}, but those that were scored had 00ff; export with the engine and versions that the journal's first record names$/,
    );
  });
});

/** Copies a run's journal with another digest in its verdict. */
function changeDigest(from: string, to: string): void {
  const run = readJournal(from);
  const [start, ...records] = run.records as [StartRecord, ...Exclude<JournalRecord, StartRecord>[]];
  using journal = Journal.create(to, start);
  for (const record of records) {
    if ("rowLosses" in record) journal.appendLosses(run.readLosses(record.rowLosses));
    journal.append(record.type === "verdict" ? { ...record, weightsDigest: "00ff" } : record);
  }
}
