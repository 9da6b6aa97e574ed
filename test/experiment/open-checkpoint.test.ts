import { cp, mkdtemp, readFile, rename as moveFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { findEqualParents } from "../../src/experiment/equal-weights.ts";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { logProbabilities } from "../../src/experiment/log-probabilities.ts";
import { openCheckpoint } from "../../src/experiment/open-checkpoint.ts";
import { examineParents, fetchSources } from "../../src/experiment/fetch-sources.ts";
import { resolveSources } from "../../src/experiment/sources.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { editTensors, type RawTensors } from "../checkpoint/edit-tensors.ts";
import { LoopbackHub } from "../hub/loopback-hub.ts";
import { publishTinyExperiment } from "../hub/published-experiment.ts";
import { testHub } from "../hub/test-hub.ts";
import { launch } from "../observed-run.ts";
import { refusal } from "../refusal.ts";
import { expectedLogProbabilities as expected } from "./expected-log-probabilities.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment, traces, writeTinyExperiment } from "../tiny-experiment.ts";

const fixtures = join(import.meta.dirname, "..", "fixtures", "model");
const SHARED = "shared.weight";
const EMBEDDING = "model.embed_tokens.weight";
const HEAD = "lm_head.weight";

/** Gives a tensor of a model other names, or the first of them and equal copies under the others. */
function rename(folder: string, name: string, others: readonly string[]): void {
  editTensors(join(folder, "model.safetensors"), ({ [name]: tensor, ...rest }): RawTensors => ({
    ...rest,
    ...Object.fromEntries(others.map((other) => [other, tensor!])),
  }));
}

async function renamedFixture(model: string, name: string, others: readonly string[]): Promise<string> {
  const folder = join(await temporaryFolder(), model);
  await cp(join(fixtures, model), folder, { recursive: true });
  rename(folder, name, others);
  return folder;
}

async function tensorNames(folder: string): Promise<string[]> {
  await using checkpoint = await Checkpoint.open(folder);
  return [...checkpoint.tensors.keys()];
}

describe("a weight that is in the file under another of its names alone", () => {
  test.each([
    ["t5", SHARED, ["encoder.embed_tokens.weight"]],
    ["t5", SHARED, ["decoder.embed_tokens.weight"]],
    ["t5", SHARED, [HEAD]],
    ["t5", SHARED, ["decoder.embed_tokens.weight", HEAD]],
    // Beside a head of its own.
    ["t5-gated", SHARED, ["encoder.embed_tokens.weight"]],
    ["llama-tied", EMBEDDING, [HEAD]],
    ["qwen2-tied", EMBEDDING, [HEAD]],
    ["gemma", EMBEDDING, [HEAD]],
  ])("scores as transformers does: %s, %s as %j", async (model, name, others) => {
    const folder = await renamedFixture(model, name, others);
    const { ids, logProbabilities: reference } = expected[model]![1]!;
    const found = await logProbabilities({ folder, ids, engine: "ggml" });
    expect(found).toEqual(await logProbabilities({ folder: join(fixtures, model), ids, engine: "ggml" }));
    expect(Math.max(...found.map((value, i) => Math.abs(value - reference[i]!)))).toBeLessThan(1e-4);
  });

  test("is the embedding of a T5 where it is the head, whatever config.json says of that", async () => {
    const folder = await renamedFixture("t5-gated", SHARED, []);
    const both = await renamedFixture("t5-gated", SHARED, []);
    rename(both, HEAD, [SHARED]);
    const { ids } = expected["t5-gated"]![1]!;
    expect(await logProbabilities({ folder, ids, engine: "ggml" })).toEqual(
      await logProbabilities({ folder: both, ids, engine: "ggml" }),
    );
  });

  test("must be one with the name that the file has", async () => {
    const folder = await renamedFixture("llama-untied", EMBEDDING, []);
    expect(await refusal(logProbabilities({ folder, ids: [1, 2], engine: "ggml" }))).toBe(
      `${folder}: tensor ${EMBEDDING} is missing; expected it from config.json`,
    );
  });

  test("is compared with what the file has under a third name", async () => {
    const folder = await renamedFixture("t5", SHARED, ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"]);
    editTensors(join(folder, "model.safetensors"), (tensors) => {
      const tensor = tensors["encoder.embed_tokens.weight"]!;
      return { ...tensors, "encoder.embed_tokens.weight": { ...tensor, bytes: tensor.bytes.toReversed() } };
    });
    const { ids } = expected["t5"]![1]!;
    expect(await refusal(logProbabilities({ folder, ids, engine: "ggml" }))).toContain(
      "expected the values of shared.weight, found others",
    );
  });

  test("keeps its name where an index puts it in another file", async () => {
    const folder = await renamedFixture("llama-tied", EMBEDDING, [HEAD]);
    const names = await tensorNames(folder);
    await moveFile(join(folder, "model.safetensors"), join(folder, "model-00001-of-00001.safetensors"));
    const map = Object.fromEntries(names.map((name) => [name, "model-00001-of-00001.safetensors"]));
    delete map[HEAD];
    await writeFile(join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map: map }));
    expect(await refusal(logProbabilities({ folder, ids: [1, 2], engine: "ggml" }))).toContain(
      `tensor '${HEAD}' is in model-00001-of-00001.safetensors, but weight_map does not name it`,
    );
  });
});

describe("parents of which some have the embedding under the name of the head", () => {
  const model = { tied: true };

  test("run and are exported as with one name", async () => {
    const folder = await temporaryFolder();
    const experiment = await tinyExperiment(folder, { model });
    const [first, second] = [join(folder, "first"), join(folder, "second")];
    await launch(experiment, first);
    for (const parent of ["base", "craft"]) rename(join(folder, parent), EMBEDDING, [HEAD]);
    await launch(experiment, second);
    expect(traces(second)).toEqual(traces(first));
    await exportRun(second, {});
    const exported = await tensorNames(join(second, "best"));
    expect(exported).toContain(EMBEDDING);
    expect(exported).not.toContain(HEAD);
  });

  test("are told apart by their embeddings, and known as copies", async () => {
    const folder = await temporaryFolder();
    await writeTinyExperiment(folder, { model });
    for (const copy of ["same", "other"]) {
      await cp(join(folder, "base"), join(folder, copy), { recursive: true });
      rename(join(folder, copy), EMBEDDING, [HEAD]);
    }
    editTensors(join(folder, "other", "model.safetensors"), (tensors) => ({
      ...tensors,
      [HEAD]: { ...tensors[HEAD]!, bytes: tensors[HEAD]!.bytes.toReversed() },
    }));
    const findings = async (name: string): Promise<number> => {
      const experts = [{ name, path: join(folder, name) }];
      return (await findEqualParents({ base: join(folder, "base"), experts })).length;
    };
    expect(await findings("other")).toBe(0);
    expect(await findings("same")).toBe(1);
  });

  test("are fetched from the Hub", async () => {
    const folder = await temporaryFolder();
    await using server = await LoopbackHub.start();
    const named = await publishTinyExperiment(server, folder);
    const tied = join(folder, "tied");
    await writeTinyExperiment(tied, { model });
    rename(join(tied, "craft"), EMBEDDING, [HEAD]);
    for (const name of ["base", "craft"]) server.addModel(`tied/${name}`, { folder: join(tied, name) });
    const file = JSON.parse(await readFile(named, "utf8")) as object;
    await writeFile(named, JSON.stringify({ ...file, base: "tied/base", experts: ["tied/craft"] }));
    const hub = await testHub(server, await mkdtemp(join(folder, "home-")), { pace: { patienceMs: 10_000 } });
    const sources = await resolveSources(await loadExperiment(named), hub);
    expect(await examineParents(sources, hub)).toEqual([]);
    const { experts } = await fetchSources(sources, hub);
    expect(await tensorNames(experts[0]!.path)).toContain(HEAD);
    await using checkpoint = await openCheckpoint(experts[0]!.path);
    expect(checkpoint.tensors.get(EMBEDDING)?.name).toBe(EMBEDDING);
  });
});
