import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import type { StoredTensor } from "../../src/checkpoint/safetensors-header.ts";
import { SafetensorsFile } from "../../src/checkpoint/safetensors-file.ts";
import { WeightsDigest } from "../../src/checkpoint/weights-digest.ts";
import { UserError } from "../../src/errors.ts";
import type { RowLosses } from "../../src/evaluate/evaluator.ts";
import { loadTasks } from "../../src/experiment/load-tasks.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { BASE } from "../../src/experiment/the-base.ts";
import { openWorkspace, type Workspace } from "../../src/experiment/workspace.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { type Expectation, haveSameLosses, verifyExport } from "../../src/export/verify-export.ts";
import { Journal, readJournal } from "../../src/journal/journal.ts";
import type { JournalRecord, StartRecord } from "../../src/journal/records.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment } from "../tiny-experiment.ts";

/** A copy of a base with what it must hold, and the workspace that it is proved in. */
async function copyOfBase(): Promise<{ workspace: Workspace; written: string; expected: Expectation }> {
  const folder = await temporaryFolder();
  const experiment = await tinyExperiment(folder);
  const workspace = await openWorkspace(experiment);
  onTestFinished(() => workspace[Symbol.asyncDispose]());
  const tasks = await loadTasks(experiment, workspace.evaluator);
  const written = join(folder, "written");
  await cp(experiment.base, written, { recursive: true });
  const digest = await digestOf(experiment.base);
  return {
    workspace,
    written,
    expected: { digest, experiment, tasks, recipe: { method: "passthrough", model: BASE } },
  };
}

describe("verifyExport", () => {
  test("accepts a folder that holds the recipe's weights", async () => {
    const { workspace, written, expected } = await copyOfBase();
    await verifyExport(workspace, expected, written);
  });

  test("finds a single bit of a weight that no row depends on", async () => {
    const { workspace, written, expected } = await copyOfBase();
    const path = join(written, "model.safetensors");
    const bytes = await readFile(path);
    const { start } = await embeddingOf(path);
    // The last bit of the embedding of token 0, which stands in no row.
    bytes[start]! ^= 1;
    await writeFile(path, bytes);
    const refusal: unknown = await verifyExport(workspace, expected, written).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(UserError);
    expect((refusal as UserError).message).toMatch(
      /written: expected weights of digest [0-9a-f]{64} on the disk, found [0-9a-f]{64}; check the disk and export again$/,
    );
  });

  test("finds a configuration by which the same weights are another model", async () => {
    const { workspace, written, expected } = await copyOfBase();
    const path = join(written, "config.json");
    await writeFile(path, (await readFile(path, "utf8")).replace('"rope_theta": 500', '"rope_theta": 600'));
    await expect(verifyExport(workspace, expected, written)).rejects.toThrow(
      new UserError(
        `${written}: the written model scores otherwise than the merge it was made of; check the disk and export again`,
      ),
    );
  });
});

/** What a model made of rows whose losses are these. */
function of(...losses: number[]): RowLosses {
  return { scores: { quiz: losses.map((loss) => ({ loss })) } };
}

describe("haveSameLosses", () => {
  test("takes no two values for one that JSON writes alike", () => {
    expect(haveSameLosses(of(1, Number.NaN), of(1, Number.NaN))).toBe(true);
    expect(haveSameLosses(of(Number.NaN), of(Number.POSITIVE_INFINITY))).toBe(false);
    expect(haveSameLosses(of(Number.POSITIVE_INFINITY), of(Number.NEGATIVE_INFINITY))).toBe(false);
    expect(haveSameLosses(of(1), of(1 + Number.EPSILON))).toBe(false);
    expect(haveSameLosses(of(1), of(1, 1))).toBe(false);
    expect(haveSameLosses(undefined, of(1))).toBe(false);
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
      /^.*changed: expected merged weights of digest 00ff, as they were scored, found [0-9a-f]{64}; export with the engine and versions that the journal's first record names$/,
    );
  });
});

/** Copies a run's journal with another digest in its verdict. */
function changeDigest(from: string, to: string): void {
  const run = readJournal(from);
  const [start, ...records] = run.records as [StartRecord, ...Exclude<JournalRecord, StartRecord>[]];
  using journal = Journal.create(to, start);
  for (const record of records) {
    if (record.type === "plan") journal.appendNumbers(run.readNumbers(record.start));
    if ("points" in record) journal.appendNumbers(run.readNumbers(record.points));
    if ("rowLosses" in record) journal.appendNumbers(run.readNumbers(record.rowLosses));
    journal.append(record.type === "verdict" ? { ...record, weightsDigest: "00ff" } : record);
  }
}

async function digestOf(folder: string): Promise<string> {
  await using checkpoint = await Checkpoint.open(folder);
  const digest = new WeightsDigest();
  for (const [name, info] of checkpoint.tensors) await digest.add(info, await checkpoint.read(name));
  return digest.digest();
}

async function embeddingOf(path: string): Promise<StoredTensor> {
  await using file = await SafetensorsFile.open(path);
  return file.header.tensors.find(({ name }) => name === "model.embed_tokens.weight")!;
}
