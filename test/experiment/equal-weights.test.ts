import { cp, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { haveSameWeights } from "../../src/checkpoint/same-weights.ts";
import { findEqualParents } from "../../src/experiment/equal-weights.ts";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { examineParents, fetchSources } from "../../src/experiment/fetch-sources.ts";
import { resolveSources } from "../../src/experiment/sources.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { checkExperiment } from "../../src/rules/check-experiment.ts";
import type { Dtype } from "../../src/tensor/dtype.ts";
import { fromFloat32, toFloat32 } from "../../src/tensor/half.ts";
import { flip } from "../flip.ts";
import { LoopbackHub } from "../hub/loopback-hub.ts";
import { isForHeader } from "../hub/loopback/fault.ts";
import { publishTinyExperiment } from "../hub/published-experiment.ts";
import { testHub } from "../hub/test-hub.ts";
import { refusal } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeTinyExperiment } from "../tiny-experiment.ts";
import { writeTinyModel } from "../tiny-model.ts";

/** Folders of models by name; those of equal seed are equal. */
async function modelsOf(
  seeds: Readonly<Record<string, number>>,
): Promise<{ base: string; experts: { name: string; path: string }[] }> {
  const folder = await temporaryFolder();
  for (const [name, seed] of Object.entries(seeds)) await writeTinyModel(join(folder, name), { seed });
  const experts = Object.keys(seeds).filter((name) => name !== "base");
  return { base: join(folder, "base"), experts: experts.map((name) => ({ name, path: join(folder, name) })) };
}

async function found(seeds: Readonly<Record<string, number>>): Promise<string[]> {
  const findings = await findEqualParents(await modelsOf(seeds));
  return findings.map(({ verdict, text }) => `${verdict}: ${text}`);
}

const nothing =
  "they hold nothing that the base lacks, so that a search can find nothing; name models that were trained further";

describe("equal parents", () => {
  test("are a fault where no expert is another than the base, and else a notice", async () => {
    expect(await found({ base: 1, a: 2, b: 3 })).toEqual([]);
    expect(await found({ base: 1, a: 1 })).toEqual([
      `fault: the expert a has the very weights of the base: ${nothing}`,
    ]);
    expect(await found({ base: 1, a: 1, b: 1 })).toEqual([
      `fault: the experts a and b have the very weights of the base: ${nothing}`,
    ]);
    expect(await found({ base: 1, a: 1, b: 2 })).toEqual([
      "notice: the expert a has the very weights of the base, and can add nothing to a merge; is it the right model?",
    ]);
    expect(await found({ base: 1, a: 2, b: 2, c: 3 })).toEqual([
      "notice: the experts a and b have the very same weights; is one of them another's copy?",
    ]);
  });

  test("are known through links, and where one folder has two names", async () => {
    const { base, experts } = await modelsOf({ base: 1, a: 2 });
    await symlink(join(base, "..", "a"), join(base, "..", "b"));
    const again = [...experts, { name: "b", path: join(base, "..", "b") }, { name: "c", path: experts[0]!.path }];
    expect((await findEqualParents({ base, experts: again })).map(({ text }) => text)).toEqual([
      "the experts a, b and c have the very same weights; is one of them another's copy?",
    ]);
  });

  test.each<[Dtype, Dtype]>([
    ["bf16", "f32"],
    ["bf16", "f16"],
    ["f32", "bf16"],
    ["f32", "f16"],
  ])("are known where %s was saved again as %s, and told apart where a value differs", async (from, to) => {
    const folder = await temporaryFolder();
    const path = (name: string): string => join(folder, name);
    const round = (values: Float32Array): void => values.set(toFloat32(fromFloat32(values, from), from));
    await writeTinyModel(path("base"), { dtype: from });
    await writeTinyModel(path("copy"), { dtype: to, edit: (_, values) => round(values) });
    const edit = (name: string, values: Float32Array): void => {
      round(values);
      if (name === "model.norm.weight") values[5]! *= 1.05;
    };
    await writeTinyModel(path("other"), { dtype: to, edit });
    const findings = await findEqualParents({
      base: path("base"),
      experts: ["copy", "other"].map((name) => ({ name, path: path(name) })),
    });
    expect(findings.map(({ text }) => text)).toEqual([
      "the expert copy has the very weights of the base, and can add nothing to a merge; is it the right model?",
    ]);
  });

  test("are told apart by a byte anywhere, and for some small reads where they differ everywhere", async () => {
    const folder = await temporaryFolder();
    const [one, other, third] = ["one", "other", "third"].map((name) => join(folder, name));
    // An embedding of 640 kB, most of which no sample meets.
    const large = { vocabulary: 20_000 };
    await writeTinyModel(one!, large);
    await cp(one!, other!, { recursive: true });
    await writeTinyModel(third!, { ...large, seed: 3 });
    {
      await using a = await Checkpoint.open(one!);
      await using b = await Checkpoint.open(other!);
      expect(await haveSameWeights(a, b)).toBe(true);
      await using c = await Checkpoint.open(third!);
      const before = a.bytesRead;
      expect(await haveSameWeights(a, c)).toBe(false);
      expect(a.bytesRead).toBe(before);
      // In the second half of the last tensor on the disk, between two samples.
      flip(join(other!, "model.safetensors"), 1_000_000);
    }
    await using a = await Checkpoint.open(one!);
    await using b = await Checkpoint.open(other!);
    expect(await haveSameWeights(a, b)).toBe(false);
  });

  test("are a line of check, and said by run before anything else", async () => {
    const folder = await temporaryFolder();
    const experiment = await loadExperiment(await writeTinyExperiment(folder));
    await cp(join(folder, "base"), join(folder, "craft"), { recursive: true, force: true });
    const text =
      "the expert craft has the very weights of the base, and can add nothing to a merge; is it the right model?";
    const hub = await testHub({ url: "http://127.0.0.1:1" }, folder);
    expect((await checkExperiment(experiment, hub)).notices).toEqual([text]);
    const events: object[] = [];
    await launchRun(experiment, join(folder, "run"), { onEvent: (event) => void events.push(event) });
    expect(events.slice(0, 2)).toEqual([{ type: "notice", text }, expect.objectContaining({ type: "opened" })]);
  });

  test("are known on the Hub from its listing, before a weight is fetched", async () => {
    const folder = await temporaryFolder();
    await using server = await LoopbackHub.start();
    const path = await publishTinyExperiment(server, folder, { experts: { a: "tiny/copy" } });
    server.addModel("tiny/copy", { folder: join(folder, "base") });
    const hub = await testHub(server, folder, { pace: { patienceMs: 10_000 } });
    const sources = await resolveSources(await loadExperiment(path), hub);
    const text = `the expert a has the very weights of the base: ${nothing}`;
    expect((await examineParents(sources, hub)).map((finding) => finding.text)).toEqual([text]);
    expect(await refusal(fetchSources(sources, hub))).toBe(text);
    const weights = server.requests.filter((request) => request.path.startsWith("/lfs/") && !isForHeader(request));
    expect(weights).toEqual([]);
  });
});
