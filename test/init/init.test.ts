import { mkdir, readFile, readdir, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ownFolder } from "../../src/files/own-package.ts";
import { loadSpace } from "../../src/space/spaces.ts";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import type { Experiment } from "../../src/experiment/experiment.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeTinyAdapter } from "../tiny-adapter.ts";
import { quizRows, tokenizer, writeRows, writeTinyExperiment } from "../tiny-experiment.ts";
import { writeTinyModel } from "../tiny-model.ts";
import { type Ended, evomerge } from "../cli/evomerge.ts";

/** A folder with the models and rows of the tiny experiment, and no experiment. */
async function folderOfModels(): Promise<string> {
  const folder = await temporaryFolder();
  await writeTinyExperiment(join(folder, "models"));
  return folder;
}

/** Runs `evomerge init` in a folder, with a cache of the Hub in which nothing is. */
async function init(folder: string, ...args: string[]): Promise<Ended> {
  return evomerge(folder, ["init", ...args], { env: { HF_HUB_CACHE: join(folder, ".cache"), HF_HUB_OFFLINE: "1" } });
}

async function writtenIn(folder: string, name = "experiment"): Promise<Experiment> {
  return loadExperiment(join(folder, `${name}.yaml`));
}

describe("evomerge init", () => {
  test("writes an experiment of what it finds, and says how to go on", async () => {
    const folder = await folderOfModels();
    const { code, stdout, stderr } = await init(folder);
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("base: models/base, by its name\n") as string,
    });
    expect(stdout).toMatch(/^wrote experiment\.yaml: base base; experts craft, nature; tasks news, quiz; 1h\n/);
    expect(stdout).toMatch(/\nrun it with: .* run experiment\.yaml --export\n$/);
    const experiment = await writtenIn(folder);
    expect(experiment).toMatchObject({
      base: join(folder, "models/base"),
      experts: ["craft", "nature"].map((name) => ({ name, path: join(folder, "models", name) })),
      tasks: ["news", "quiz"].map((name) => ({
        name,
        rows: [join(folder, "models/rows", `${name}.jsonl`)],
        guard: [join(folder, "models/rows", `${name}.guard.jsonl`)],
      })),
      budget: { seconds: 3600 },
    });
  });

  test.each([
    ["my mod\u00E8les (2)", "my-modeles-2"],
    ["2024.07", "base"],
    ["\u043C\u043E\u0434\u0435\u043B\u0438", "base"],
  ])("calls runs of the folder %j by %s, and those of a named experiment by its name", async (within, name) => {
    const folder = await folderOfModels();
    await rename(join(folder, "models"), join(folder, within));
    expect((await init(folder, within)).code).toBe(0);
    expect((await writtenIn(join(folder, within))).name).toBe(name);
    expect((await init(folder, within, "--name", "second")).code).toBe(0);
    expect((await writtenIn(join(folder, within), "second")).name).toBe("second");
  });

  test("overwrites nothing, and two may be written", async () => {
    const folder = await folderOfModels();
    await writeFile(join(folder, "experiment.yaml"), "mine");
    const again = await init(folder);
    expect(again).toMatchObject({
      code: 1,
      stderr: "evomerge: experiment.yaml is there already; give the new experiment another name with --name\n",
    });
    expect((await init(folder, "--name", "second", "--budget", "5m")).code).toBe(0);
    expect(await readFile(join(folder, "experiment.yaml"), "utf8")).toBe("mine");
    expect((await writtenIn(folder, "second")).budget).toEqual({ seconds: 300 });
  });

  test("takes what is given, with names and datasets, for a folder that is not there yet", async () => {
    const folder = await folderOfModels();
    const models = ["--base", "models/craft", "--expert", "one=models/base", "--expert", "models/nature"];
    const rows = [
      "--rows",
      "q=models/rows/quiz.jsonl",
      "--rows",
      "q=models/rows/news.jsonl",
      "--rows",
      "x=org/rows@v1",
    ];
    const { code, stdout } = await init(folder, "a/b", ...models, ...rows, "--space", "depth-curves");
    expect({ code, next: /^see what it fetches with: .*$/m.test(stdout) }).toEqual({ code: 0, next: true });
    expect(await writtenIn(join(folder, "a/b"))).toMatchObject({
      base: join(folder, "models/craft"),
      experts: [{ name: "one" }, { name: "nature", path: join(folder, "models/nature") }],
      space: { depth: { curve: "dct" } },
      tasks: [
        { name: "q", rows: ["quiz", "news"].map((name) => join(folder, "models/rows", `${name}.jsonl`)) },
        { name: "x", rows: { dataset: "org/rows@v1", config: "x" } },
      ],
    });
  });

  test("leaves out what does not merge with the base, and says why", async () => {
    const folder = await folderOfModels();
    await writeTinyModel(join(folder, "models/wide"), { hidden: 32 });
    await mkdir(join(folder, "models/other"));
    await writeFile(join(folder, "models/other/config.json"), '{ "model_type": "gpt2" }');
    await writeFile(join(folder, "models/other/model.safetensors"), "");
    const { code, stderr } = await init(folder);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^left out models\/wide: its hidden_size is not the base's$/m);
    expect(stderr).toMatch(/^left out models\/other: .*model_type.*gpt2/m);
    expect((await writtenIn(folder)).experts.map(({ name }) => name)).toEqual(["craft", "nature"]);
  });

  test("says of weights that it does not read which they are", async () => {
    const folder = await folderOfModels();
    await mkdir(join(folder, "quants"));
    for (const name of ["b.Q4_K_M.GGUF", "b.Q8_0.gguf"]) await writeFile(join(folder, "quants", name), "");
    const { code, stderr } = await init(folder);
    expect(code).toBe(0);
    expect(stderr.match(/^left out .*GGUF.*$/gm)).toEqual([
      "left out quants/b.Q4_K_M.GGUF: GGUF holds weights for inference and is not merged; take the model's Hugging Face folder",
    ]);
  });

  test("takes adapters of a base, with their search space", async () => {
    const folder = await temporaryFolder();
    await writeTinyModel(join(folder, "Tiny"), { tokenizer });
    for (const [seed, name] of ["maths", "chat"].entries())
      await writeTinyAdapter(join(folder, "lora", name), join(folder, "Tiny"), { seed, named: "org/Tiny" });
    await writeTinyAdapter(join(folder, "other"), join(folder, "Tiny"), { named: "org/Another" });
    const { stderr } = await init(folder, "--rows", "x=org/rows");
    expect(stderr).toContain("base: Tiny, 2 of the others say that they were made from it\n");
    const { base, experts, space } = await writtenIn(folder);
    expect(base).toBe(join(folder, "Tiny"));
    expect(experts.map(({ name }) => name)).toEqual(["other", "chat", "maths"]);
    expect(space).toEqual(await loadSpace(join(ownFolder(), "search-spaces", "adapters.yaml")));
  });

  test("takes models of the Hub's cache, at their commits, where the folder has none", async () => {
    const folder = await temporaryFolder();
    const commit = "0123456789".repeat(4);
    for (const [seed, name] of ["tiny", "tiny-chat", "tiny-code"].entries()) {
      const repository = join(folder, ".cache", `models--org--${name}`);
      const perturbed = { seed, by: 0.1 };
      await writeTinyModel(join(repository, "snapshots", commit), { tokenizer, ...(seed > 0 && { perturbed }) });
      await mkdir(join(repository, "refs"));
      await writeFile(join(repository, "refs/main"), commit);
    }
    const { stderr } = await init(folder);
    expect(stderr).toContain(`base: org/tiny@${commit}, by its name\n`);
    expect(stderr).toContain("rows: none are here; those of the LLM-Merging competition, of the Hub\n");
    expect(await writtenIn(folder)).toMatchObject({
      base: `org/tiny@${commit}`,
      experts: ["tiny-chat", "tiny-code"].map((name) => ({ name, path: `org/${name}@${commit}` })),
      tasks: [{ rows: { config: "cosmos_qa" } }, { rows: { config: "xsum" } }],
    });
  });

  test("takes for the base what most models say that they were made from", async () => {
    const folder = await folderOfModels();
    for (const name of ["base", "nature"]) {
      const path = join(folder, "models", name, "config.json");
      const config = JSON.parse(await readFile(path, "utf8")) as object;
      await writeFile(path, JSON.stringify({ ...config, _name_or_path: "../craft" }));
    }
    const { stderr } = await init(folder);
    expect(stderr).toContain("base: models/craft, 2 of the others say that they were made from it\n");
    // An expert by the name of the base has one of its own.
    expect((await writtenIn(folder)).experts.map(({ name }) => name)).toEqual(["base-2", "nature"]);
  });

  test("asks for a base that cannot be told", async () => {
    const folder = await temporaryFolder();
    await writeTinyModel(join(folder, "one"), {});
    await writeTinyModel(join(folder, "two"), {});
    const { code, stderr } = await init(folder);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /evomerge: which model is the experts' common ancestor cannot be told; name it with --base: one, two\n$/,
    );
    expect(await readdir(folder)).not.toContain("experiment.yaml");
  });

  test("says in one sentence that there is nothing, and what there is to see", async () => {
    const folder = await temporaryFolder();
    const { code, stderr } = await init(folder);
    expect({ code, lines: stderr.split("\n").length }).toEqual({ code: 1, lines: 2 });
    expect(stderr).toMatch(/^evomerge: no models are in \. or the Hub's cache; .* run demo\n$/);
  });

  test.each([
    [["--base", "models/bsae"], /models\/bsae: no such folder, .*did you mean .*models\/base, or/],
    [
      ["--expert", "models/rows"],
      /models\/rows: expected a model, with config\.json and weights, or an adapter; found neither/,
    ],
    [["--expert", "base=models/craft"], /"base" names the base model/],
    [["--rows", "quiz=nothing.jsonl"], /expected a file of rows, found none at .*nothing\.jsonl/],
    [["--guard", "quiz=models/rows/quiz.jsonl"], /--guard quiz: expected rows to search on too/],
    [["--space", "deep"], /^evomerge: deep: no such file/m],
    [["--name", "../x"], /--name: expected letters/],
  ])("refuses %j", async (args, message) => {
    const folder = await folderOfModels();
    const { code, stderr } = await init(folder, ...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect((await readdir(folder)).filter((name) => name.endsWith(".yaml"))).toEqual([]);
  });

  test("writes names of strangers as what they are, and shows none that a terminal obeys", async () => {
    const folder = await temporaryFolder();
    const hostile = 'a: "b\u001B[31m\n# <script>';
    await writeTinyExperiment(join(folder, hostile));
    await rename(join(folder, hostile, "base"), join(folder, hostile, "base\nwrote x"));
    await writeRows(join(folder, "123 \u202E: x.csv.jsonl"), quizRows("search", 4));
    const { code, stdout, stderr } = await init(folder, "--base", join(hostile, "base\nwrote x"));
    expect(code).toBe(0);
    for (const obeyed of ["\u001B", "\u202E"]) expect(stdout + stderr).not.toContain(obeyed);
    const experiment = await writtenIn(folder);
    expect(experiment.base).toBe(join(folder, hostile, "base\nwrote x"));
    expect(stdout).toMatch(/^wrote experiment\.yaml: base base\\u000Awrote x; /);
    expect(experiment.tasks.map(({ name }) => name)).toContain("x.csv");
  });

  test("goes through a folder that links to itself, and not into runs, exports and states of a training", async () => {
    const folder = await folderOfModels();
    // Many projects have one.
    await writeFile(join(folder, "config.json"), "{}");
    await writeTinyModel(join(folder, "models/craft/checkpoint-500"), { tokenizer });
    await writeTinyModel(join(folder, "my-model"), { tokenizer });
    for (const name of ["SHA256SUMS", "recipe.json"]) await writeFile(join(folder, "my-model", name), "");
    await symlink(folder, join(folder, "models", "again"));
    await mkdir(join(folder, "results/one/best"), { recursive: true });
    await writeFile(join(folder, "results/one/journal.jsonl"), "");
    await writeTinyModel(join(folder, "results/one/best"), {});
    const { code, stderr } = await init(folder);
    expect(code).toBe(0);
    expect(stderr).toContain(
      "left out my-model: it is an export of evomerge; to merge it again, name it with --expert\n",
    );
    expect((await writtenIn(folder)).experts).toHaveLength(2);
  });
});
