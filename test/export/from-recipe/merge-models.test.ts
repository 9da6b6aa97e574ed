import { cpSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { Checkpoint } from "../../../src/checkpoint/checkpoint.ts";
import { writeCheckpoint } from "../../../src/checkpoint/write-checkpoint.ts";
import { openCheckpoint } from "../../../src/experiment/open-checkpoint.ts";
import { exportRun } from "../../../src/export/export-run.ts";
import { mergeModels, type MergeModelsOptions } from "../../../src/export/from-recipe/merge-models.ts";
import { checkWeights, openModel } from "../../../src/model/open-model.ts";
import { launchRun } from "../../../src/run/launch-run.ts";
import { toFloat32 } from "../../../src/tensor/half.ts";
import { safetensorsBytes } from "../../checkpoint/safetensors-bytes.ts";
import { refusal } from "../../refusal.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { writeAdapted, writeTinyAdapter } from "../../tiny-adapter.ts";
import { tinyExperiment } from "../../tiny-experiment.ts";
import { writeTinyModel } from "../../tiny-model.ts";

let models: string;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "evomerge-"));
  await writeTinyModel(join(models, "base"), { layers: 3 });
  for (const [i, name] of ["a", "b"].entries())
    await writeTinyModel(join(models, name), { layers: 3, perturbed: { seed: i + 1, by: 0.1 } });
  await writeTinyAdapter(join(models, "tune"), join(models, "base"));
});
afterAll(() => rm(models, { recursive: true, force: true }));

const at = (name: string): string => join(models, name);
const linear = (): MergeModelsOptions["recipe"] => ({
  merge_method: "linear",
  models: [
    { model: at("a"), parameters: { weight: 1 } },
    { model: at("b"), parameters: { weight: 3 } },
  ],
});

const dare = (spelt: (name: string) => string): MergeModelsOptions["recipe"] => ({
  merge_method: "dare_linear",
  base_model: spelt("base"),
  models: ["a", "b"].map((name) => ({ model: spelt(name), parameters: { weight: 0.5, density: 0.5 } })),
});

/** Merges into a new folder, and returns it with what was said. */
async function merged(
  recipe: MergeModelsOptions["recipe"],
  options: Partial<MergeModelsOptions> = {},
): Promise<{ readonly model: string; readonly notices: readonly string[]; readonly digest: string }> {
  const to = join(await temporaryFolder(), "merged");
  const notices: string[] = [];
  const onEvent: MergeModelsOptions["onEvent"] = (event) => {
    if (event.type === "notice") notices.push(event.text);
  };
  const { model } = await mergeModels({ recipe, to, onEvent, ...options });
  await using written = await openCheckpoint(model);
  return { model, notices, digest: await written.weightsDigest() };
}

async function valuesOf(folder: string, name: string): Promise<Float32Array> {
  await using checkpoint = await Checkpoint.open(folder);
  return toFloat32(await checkpoint.read(name), checkpoint.tensors.get(name)!.dtype);
}

const json = (folder: string, name: string): unknown => JSON.parse(readFileSync(join(folder, name), "utf8"));

describe("mergeModels", () => {
  test("merges by an object into a whole model, and says what it lacks", async () => {
    const { model, notices } = await merged(linear());
    const name = "model.layers.1.mlp.up_proj.weight";
    const [a, b, found] = await Promise.all([at("a"), at("b"), model].map((folder) => valuesOf(folder, name)));
    for (const [i, value] of found!.entries()) expect(value).toBeCloseTo((a![i]! + 3 * b![i]!) / 4, 2);
    await using checkpoint = await openCheckpoint(model);
    checkWeights(openModel(checkpoint, "f32"), checkpoint);
    expect(readdirSync(model).toSorted()).toEqual(
      ["README.md", "SHA256SUMS", "config.json", "mergekit_config.yml", "model.safetensors"].toSorted(),
    );
    expect(notices).toEqual([
      `the recipe has no base_model: configuration and tokenizer are those of its first model, ${at("a")}; mergekit takes those of any`,
      `${at("a")} has no tokenizer, and neither has the merge; put the files of one into its folder`,
    ]);
    const card = readFileSync(join(model, "README.md"), "utf8");
    expect(card).toContain("with the method `linear`");
    expect(card + readFileSync(join(model, "mergekit_config.yml"), "utf8")).not.toContain(models);
  });

  test("reads a file, whose models are where it says from its folder", async () => {
    const folder = await temporaryFolder();
    const recipe = join(models, "recipe.yml");
    writeFileSync(recipe, "merge_method: passthrough\nmodels: [{ model: ./a }]\n");
    const { digest } = await merged(recipe);
    await using a = await openCheckpoint(at("a"));
    expect(digest).toBe(await a.weightsDigest());
    writeFileSync(recipe, "merge_method: linear\nmodels: [{ model: ./a, parameters: { wieght: 1 } }]\n");
    expect(await refusal(mergeModels({ recipe, to: join(folder, "out") }))).toBe(
      `${recipe}:2:46: models[0].parameters.wieght: no method has such a parameter; did you mean "weight"?`,
    );
    const merge = "merge_method: linear\nmodels: [&a { model: ./a, parameters: { weight: 1 } }, ";
    for (const [second, fault] of [
      ["{ <<: *a, model: ./b, parameters: { weight: -1 } }]", "model.embed_tokens.weight: the weights sum to 0"],
      ["{ <<: *a, model: ./b, parameters: { weight: 010 } }]", "010 is 8 in YAML 1.1"],
    ] as const) {
      writeFileSync(recipe, merge + second);
      const said = await refusal(mergeModels({ recipe, to: join(folder, "out") }));
      expect(said.slice(0, recipe.length + 1)).toBe(`${recipe}:`);
      expect(said).toContain(fault);
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  test("refuses a merge that the disk has no room for, in sizes as people read them", async () => {
    const folder = await temporaryFolder();
    const shape = [2 ** 20, 2 ** 22];
    const bytes = 2 * shape[0]! * shape[1]!;
    const header = safetensorsBytes({ weight: { dtype: "BF16", shape, data_offsets: [0, bytes] } });
    writeFileSync(join(folder, "config.json"), JSON.stringify({ model_type: "of-holes" }));
    writeFileSync(join(folder, "model.safetensors"), header);
    truncateSync(join(folder, "model.safetensors"), header.length + bytes);
    const recipe = { merge_method: "passthrough", models: [{ model: folder }] };
    const to = join(await temporaryFolder(), "out");
    expect(await refusal(mergeModels({ recipe, to }))).toMatch(
      /^cannot write .*out: the merge takes 8\.8 TB, and \d+\.\d [MGT]B are free there; make room/,
    );
  });

  test("writes another dtype into weights and config.json, in shards of a size", async () => {
    const { model } = await merged({ ...(linear() as object), out_dtype: "float32" } as MergeModelsOptions["recipe"], {
      maxShardBytes: 10_000,
    });
    expect(json(model, "config.json")).toMatchObject({ torch_dtype: "float32" });
    const { weight_map } = json(model, "model.safetensors.index.json") as { weight_map: Record<string, string> };
    expect(new Set(Object.values(weight_map)).size).toBeGreaterThan(2);
    await using checkpoint = await openCheckpoint(model);
    expect(new Set(Array.from(checkpoint.tensors.values(), ({ dtype }) => dtype))).toEqual(new Set(["f32"]));
  });

  test("stacks layers into a model of more", async () => {
    const slice = (model: string, from: number, to: number): object => ({
      sources: [{ model: at(model), layer_range: [from, to] }],
    });
    const { model } = await merged({
      merge_method: "passthrough",
      slices: [slice("a", 0, 2), slice("b", 1, 3)],
    } as MergeModelsOptions["recipe"]);
    expect(json(model, "config.json")).toMatchObject({ num_hidden_layers: 4 });
    await using checkpoint = await openCheckpoint(model);
    checkWeights(openModel(checkpoint, "f32"), checkpoint);
    const [own, other] = [await valuesOf(model, "model.layers.2.mlp.up_proj.weight"), at("b")];
    expect(own).toEqual(await valuesOf(other, "model.layers.1.mlp.up_proj.weight"));
  });

  test("takes an adapter for what it makes of its base", async () => {
    const { digest } = await merged({
      merge_method: "passthrough",
      models: [{ model: `${at("base")}+${at("tune")}` }],
    });
    const adapted = join(await temporaryFolder(), "adapted");
    await writeAdapted(adapted, at("tune"), at("base"));
    writeFileSync(join(adapted, "config.json"), readFileSync(join(at("base"), "config.json")));
    await using expected = await openCheckpoint(adapted);
    expect(digest).toBe(await expected.weightsDigest());
  });

  test("drops the same elements wherever its models lie and however their paths are spelt, unless a seed says other ones", async () => {
    const elsewhere = await temporaryFolder();
    for (const name of ["base", "a", "b"]) cpSync(at(name), join(elsewhere, `${name}-copy`), { recursive: true });
    const { digest } = await merged(dare(at));
    expect((await merged(dare((name) => join(elsewhere, `${name}-copy`)))).digest).toBe(digest);
    expect((await merged(dare((name) => `${models}/./${name}`))).digest).toBe(digest);
    expect((await merged(dare(at), { seed: 1 })).digest).not.toBe(digest);
  });

  test("takes the recipe.json of an export for the weights of that very export", async () => {
    const folder = await temporaryFolder();
    const run = join(folder, "run");
    await launchRun(await tinyExperiment(folder, { file: { budget: { evaluations: 5 } } }), run);
    const { model: exported, weightsDigest, experiment } = await exportRun(run);
    expect((await merged(exported)).digest).toBe(weightsDigest);
    const apart = join(folder, "recipe.json");
    writeFileSync(apart, readFileSync(join(exported, "recipe.json")));
    const { base } = experiment;
    const experts = Object.fromEntries(experiment.experts.map(({ name, path }) => [name, path]));
    const again = await merged(apart, { base, experts });
    expect(again.digest).toBe(weightsDigest);
    expect(readFileSync(join(again.model, "recipe.json"))).toEqual(readFileSync(apart));
    expect(await refusal(merged(apart))).toBe(
      `${apart}: it names models and not where they are; give the base with --base, and each expert with --expert <name>=<model>`,
    );
    for (const ignored of [{ seed: 0 }, { mergekitCompat: true }])
      expect(await refusal(merged(apart, { base, experts, ...ignored }))).toBe(
        "a recipe.json has its own seed and no faults of mergekit's; leave out mergekitCompat and seed (--mergekit-compat, --seed)",
      );
    expect(await refusal(merged(apart, { base, experts: { nature: experts["nature"]! } }))).toBe(
      `${apart}: it names models and not where they are; give --expert craft=<model>`,
    );
    expect(await refusal(merged(apart, { base, experts: { ...experts, crafts: at("a") } }))).toBe(
      `${apart}: it has no expert crafts (--expert), but nature, craft; did you mean "craft"?`,
    );
    expect((await merged(exported, { experts: { craft: experts["craft"]! } })).digest).toBe(weightsDigest);
  });

  test("gives the merge the chat template that its recipe writes out, names or finds most often", async () => {
    const template = "{{ messages[0].content }}";
    const own = { ...(linear() as object), chat_template: template } as MergeModelsOptions["recipe"];
    expect(readFileSync(join((await merged(own)).model, "chat_template.jinja"), "utf8")).toBe(template);
    const chatml = { ...(linear() as object), chat_template: "chatml" } as MergeModelsOptions["recipe"];
    expect(readFileSync(join((await merged(chatml)).model, "chat_template.jinja"), "utf8")).toContain("<|im_start|>");
    const alpaca = { ...(linear() as object), chat_template: "alpaca" } as MergeModelsOptions["recipe"];
    expect(await refusal(merged(alpaca))).toContain("expected auto, chatml or a template in Jinja");
    writeFileSync(join(at("b"), "chat_template.jinja"), template);
    const auto = { ...(linear() as object), chat_template: "auto" } as MergeModelsOptions["recipe"];
    expect(readFileSync(join((await merged(auto)).model, "chat_template.jinja"), "utf8")).toBe(template);
    await rm(join(at("b"), "chat_template.jinja"));
  });

  test("refuses to lose a tensor that the architecture does not know", async () => {
    const folder = await temporaryFolder();
    for (const name of ["a", "b"]) {
      const specs = ["model.norm.weight", "extra.weight"].map((tensor) => ({
        name: tensor,
        shape: [2],
        dtype: "f32" as const,
      }));
      await writeCheckpoint(join(folder, name), specs, () => Promise.resolve(new Uint8Array(8)));
      writeFileSync(join(folder, name, "config.json"), readFileSync(join(at("base"), "config.json")));
    }
    const models = ["a", "b"].map((name) => ({ model: join(folder, name), parameters: { weight: 1 } }));
    expect(await refusal(merged({ merge_method: "linear", models }))).toContain(
      "a: tensor model.embed_tokens.weight is missing",
    );
    for (const name of ["a", "b"]) writeFileSync(join(folder, name, "config.json"), '{"model_type":"stranger"}');
    const { model } = await merged({ merge_method: "linear", models });
    await using checkpoint = await openCheckpoint(model);
    expect([...checkpoint.tensors.keys()].toSorted()).toEqual(["extra.weight", "model.norm.weight"]);
  });

  test("refuses to lose a head that differs from the embedding it is tied to, and takes one that does not", async () => {
    const folder = await temporaryFolder();
    const tied = await writeTinyModel(join(folder, "tied"), { tied: true });
    const [head, embedding] = ["lm_head.weight", "model.embed_tokens.weight"];
    const copy = async (name: string, change: number): Promise<string> => {
      await using checkpoint = await Checkpoint.open(tied);
      const specs = [...checkpoint.tensors.values(), { ...checkpoint.tensors.get(embedding)!, name: head }];
      await writeCheckpoint(join(folder, name), specs, async (tensor) => {
        const bytes = Uint8Array.from(await checkpoint.read(tensor === head ? embedding : tensor));
        if (tensor === head) bytes[0]! ^= change;
        return bytes;
      });
      writeFileSync(join(folder, name, "config.json"), readFileSync(join(tied, "config.json")));
      return join(folder, name);
    };
    const [same, other] = [await copy("same", 0), await copy("other", 1)];
    const recipe = (model: string): MergeModelsOptions["recipe"] => ({
      merge_method: "linear",
      models: [tied, model].map((name) => ({ model: name, parameters: { weight: 1 } })),
    });
    await using checkpoint = await openCheckpoint((await merged(recipe(same))).model);
    expect(checkpoint.tensors.has(head)).toBe(false);
    expect(await refusal(merged(recipe(other)))).toContain(
      `${other}: tensor ${head}: expected the values of ${embedding}, since tie_word_embeddings is true, found others`,
    );
  });

  test("replaces what it wrote, and nothing else", async () => {
    const { model } = await merged(linear());
    await mergeModels({ recipe: linear(), to: model });
    writeFileSync(join(model, "notes.txt"), "mine");
    expect(await refusal(mergeModels({ recipe: linear(), to: model }))).toContain("notes.txt, which no export wrote");
    expect(await refusal(mergeModels({ recipe: linear(), to: at("a") }))).toContain("which no export wrote");
    expect(existsSync(join(model, "notes.txt"))).toBe(true);
  });

  test("leaves nothing behind where it is stopped, or a weight cannot be read", async () => {
    const folder = await temporaryFolder();
    const stop = new AbortController();
    const merge = mergeModels({
      recipe: linear(),
      to: join(folder, "out"),
      signal: stop.signal,
      onEvent: ({ type }) => void (type === "merging" && stop.abort(new Error("stopped"))),
    });
    await expect(merge).rejects.toThrow("stopped");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("tells of its bytes as it goes", async () => {
    const told: number[][] = [];
    const onEvent: MergeModelsOptions["onEvent"] = (event) => {
      if (event.type === "merging") told.push([event.doneBytes, event.totalBytes]);
    };
    const { model } = await merged(linear(), { onEvent });
    await using checkpoint = await openCheckpoint(model);
    const bytes = [...checkpoint.tensors.values()].reduce((sum, tensor) => sum + tensor.bytes, 0);
    expect(told.at(-1)).toEqual([bytes, bytes]);
    expect(parse(readFileSync(join(model, "mergekit_config.yml"), "utf8"))).toMatchObject({ merge_method: "linear" });
  });
});
