import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { scoreModel } from "../../src/experiment/score-model.ts";
import { examineParents, fetchSources } from "../../src/experiment/fetch-sources.ts";
import { resolveSources } from "../../src/experiment/sources.ts";
import { modelTypes } from "../../src/model/architectures.ts";
import { checkExperiment } from "../../src/rules/check-experiment.ts";
import { LoopbackHub } from "../hub/loopback-hub.ts";
import { isForHeader } from "../hub/loopback/fault.ts";
import { publishTinyExperiment } from "../hub/published-experiment.ts";
import { testHub } from "../hub/test-hub.ts";
import { refusal } from "../refusal.ts";
import { writeTinyModel } from "../tiny-model.ts";
import { rewriteAsTorch } from "../checkpoint/torch-bytes.ts";
import { safetensorsBytes } from "../checkpoint/safetensors-bytes.ts";

const tokenizers = join(import.meta.dirname, "..", "fixtures", "tasks", "tokenizers");
const byteLevel = { tokenizer: join(tokenizers, "byte-level") };
const INDEX = "model.safetensors.index.json";

let folder: string;
let server: LoopbackHub;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "evomerge-"));
  server = await LoopbackHub.start();
  await publishTinyExperiment(server, folder);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Adds a tensor to the file of a model's weights. */
async function addTensor(
  model: string,
  name: string,
  dtype: string,
  bytes: number,
  weights = "model.safetensors",
): Promise<void> {
  const path = join(model, weights);
  const file = await readFile(path);
  const length = Number(file.readBigUInt64LE());
  const header: Record<string, { data_offsets?: readonly [number, number] }> = JSON.parse(
    file.subarray(8, 8 + length).toString(),
  );
  const end = file.length - 8 - length;
  const added = { ...header, [name]: { dtype, shape: [1], data_offsets: [end, end + bytes] } };
  const start = safetensorsBytes(added);
  await writeFile(path, Buffer.concat([start, file.subarray(8 + length), Buffer.alloc(bytes)]));
}

/** Gives a model's weights the name of a shard, and an index of them, with names of more tensors, where one is to be. */
async function divide(model: string, shard: string, index?: string, more: readonly string[] = []): Promise<void> {
  await rename(join(model, "model.safetensors"), join(model, shard));
  if (index === undefined) return;
  const bytes = await readFile(join(model, shard));
  const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString()) as object;
  const names = Object.keys(header).filter((name) => name !== "__metadata__");
  await writeFile(
    join(model, index),
    JSON.stringify({ weight_map: Object.fromEntries([...names, ...more].map((name) => [name, shard])) }),
  );
}

/** What is done to an expert, and what is said of it then: `E` is the expert, `B` the base; undefined where it loads. */
type Case = readonly [what: string, spoil: (model: string) => Promise<unknown>, said: string | undefined];

const cases: readonly Case[] = [
  [
    "a tokenizer in SentencePiece's form only",
    (model) => rename(join(model, "tokenizer.json"), join(model, "tokenizer.model")),
    "tokenizer.json: not found, only SentencePiece's .model",
  ],
  [
    "another tokenizer",
    async (model) => {
      const path = join(model, "tokenizer.json");
      await writeFile(path, (await readFile(path, "utf8")).replace('"!":3,', '"no":3,'));
    },
    "E: its tokenizer is not that of the base B: token 3: '!' in the base, 'no' here; only models of one",
  ],
  [
    "another shape",
    (model) => writeTinyModel(model, { ...byteLevel, hidden: 24 }),
    "E: hidden_size: expected 16 as in the base B, found 24; only models of one architecture merge",
  ],
  [
    "another family that merges with no other",
    (model) =>
      writeTinyModel(model, {
        ...byteLevel,
        config: { model_type: "mistral", sliding_window: 4 },
      }),
    'E: model_type: expected "llama" as in the base B, found "mistral", which differs in sliding_window; only models of one architecture merge',
  ],
  [
    "another family",
    (model) => writeFile(join(model, "config.json"), '{"model_type": "bart"}'),
    `E is a bart model; evomerge scores ${modelTypes.join(", ")} models so far`,
  ],
  [
    "an adapter with a config.json",
    async (model) => {
      await rename(join(model, "model.safetensors"), join(model, "adapter_model.safetensors"));
      await writeFile(join(model, "adapter_config.json"), "{}");
    },
    'E/adapter_config.json: expected the peft_type "LORA", found undefined',
  ],
  [
    "a tensor that merging would lose",
    (model) => addTensor(model, "v_head.weight", "F32", 4),
    "E: tensor v_head.weight is not part of this architecture; merging would lose it",
  ],
  [
    "scales of packed weights",
    (model) => addTensor(model, "model.layers.0.mlp.up_proj.scale", "F8_E4M3", 1),
    "E: tensor model.layers.0.mlp.up_proj.scale is not part of this architecture; merging would lose it",
  ],
  [
    "a pickle of another name",
    (model) => rename(join(model, "model.safetensors"), join(model, "model.pt")),
    "model.pt",
  ],
  [
    "a missing shard",
    (model) => divide(model, "model-00001-of-00002.safetensors"),
    "model-00002-of-00002.safetensors: no such file, but model-00001-of-00002.safetensors is one of 2; download the model in full",
  ],
  [
    "a buffer of whole numbers",
    (model) => addTensor(model, "model.layers.0.self_attn.rotary_emb.inv_freq", "I64", 8),
    undefined,
  ],
  ["a counter of any name", (model) => addTensor(model, "model.step", "I64", 8), undefined],
  [
    "a buffer that the index lacks",
    async (model) => {
      await divide(model, "weights.safetensors", INDEX);
      await addTensor(model, "model.layers.0.self_attn.rotary_emb.inv_freq", "F32", 4, "weights.safetensors");
    },
    undefined,
  ],
  [
    "an index that names a buffer of no shard",
    (model) => divide(model, "weights.safetensors", INDEX, ["model.layers.0.self_attn.rotary_emb.inv_freq"]),
    undefined,
  ],
  [
    "an index that names a weight of no shard",
    (model) => divide(model, "weights.safetensors", INDEX, ["model.layers.2.mlp.up_proj.weight"]),
    `E/${INDEX}: weight_map puts tensor 'model.layers.2.mlp.up_proj.weight' in weights.safetensors, which does not have it`,
  ],
  ["shards without an index", (model) => divide(model, "model-00001-of-00001.safetensors"), undefined],
  [
    "an index with another name of a shard",
    (model) => divide(model, "pytorch_model-00001-of-00001.safetensors", INDEX),
    undefined,
  ],
  [
    "an index with a name of any characters",
    (model) => divide(model, "mein Gewicht (1).safetensors", INDEX),
    undefined,
  ],
  ["weights of torch.save", (model) => rewriteAsTorch(model), undefined],
  ["shards of torch.save", (model) => rewriteAsTorch(model, "shards"), undefined],
  [
    "a file of torch.save that would run a program",
    async (model) => {
      await rewriteAsTorch(model);
      const path = join(model, "pytorch_model.bin");
      const file = (await readFile(path, "latin1")).replace(
        "ctorch._utils\n_rebuild_tensor_v2",
        "csubprocesses\nrun_any_command_go",
      );
      await writeFile(path, file, "latin1");
    },
    "its pickle: expected what makes tensors, found 'subprocesses.run_any_command_go'; only tensors are read of it, and nothing is run",
  ],
  ["an index with a name without a number", (model) => divide(model, "weights.safetensors", INDEX), undefined],
];

describe.each(cases)("an expert with %s", (...[what, spoil, said]) => {
  const name = `tiny/${what.replaceAll(/\W/g, "-")}`;
  let model: string;
  beforeAll(async () => {
    model = join(folder, "local", name);
    await cp(join(folder, "craft"), model, { recursive: true });
    await spoil(model);
    server.addModel(name, { folder: model });
  });

  test(
    said === undefined
      ? "is fetched whole from the Hub"
      : "is refused by run, fetch and check before a weight is fetched",
    async () => {
      const file = JSON.parse(await readFile(join(folder, "named.yaml"), "utf8")) as object;
      const path = join(folder, "with-expert.yaml");
      await writeFile(path, JSON.stringify({ ...file, experts: { nature: "tiny/nature", odd: name } }));
      const own = await testHub(server, await mkdtemp(join(folder, "home-")), { pace: { patienceMs: 10_000 } });
      const before = server.requests.length;
      const sources = await resolveSources(await loadExperiment(path), own);
      if (said === undefined) {
        expect(await examineParents(sources, own)).toEqual([]);
        const local = await fetchSources(sources, own);
        expect((await readdir(local.experts[1]!.path)).toSorted()).toEqual((await readdir(model)).toSorted());
        return;
      }
      const sentence = said.replace("E", name).replace("B", "tiny/base");
      expect((await examineParents(sources, own)).map(({ text }) => text)).toEqual([expect.stringContaining(sentence)]);
      expect(await refusal(fetchSources(sources, own))).toContain(sentence);
      const weights = server.requests.slice(before).filter(({ path }) => /^\/lfs\/|\.(safetensors|bin)$/.test(path));
      expect(weights.filter((request) => !isForHeader(request) && !request.path.includes("parquet"))).toEqual([]);
      // Check says it too, once: where it is a rule of the competition, as that.
      const { cannotScore, findings } = await checkExperiment(await loadExperiment(path), own);
      const rules = new Set(["architecture", "tokenizer"]);
      const broken = findings.filter(({ rule, verdict }) => rules.has(rule) && verdict === "fail");
      const toldByRule = broken.some(({ subject }) => subject === name);
      expect(toldByRule ? [sentence] : cannotScore).toEqual([expect.stringContaining(sentence)]);
    },
  );

  test(said === undefined ? "is scored in a folder" : "is refused in a folder", async () => {
    const scored = scoreModel({ model, rows: join(folder, "rows/quiz.jsonl"), limit: 1, engine: "ggml" });
    const ofMerge = /^E: (its tokenizer|\w+: expected .* as in the base)/.test(said ?? "");
    if (said === undefined || ofMerge) expect((await scored).rows).toBe(1);
    else expect(await refusal(scored)).toContain(said.replace("E", model).split(": ").at(-1)!.split("; ")[0]);
  });
});

test("an adapter beside a full model is left out on the Hub as in a folder, and that is said", async () => {
  const model = join(folder, "local", "both");
  await cp(join(folder, "craft"), model, { recursive: true });
  await writeFile(join(model, "adapter_config.json"), "{}");
  await writeFile(join(model, "adapter_model.safetensors"), safetensorsBytes({}));
  server.addModel("tiny/both", { folder: model });
  const file = JSON.parse(await readFile(join(folder, "named.yaml"), "utf8")) as object;
  const path = join(folder, "with-adapter.yaml");
  const own = await testHub(server, await mkdtemp(join(folder, "home-")), { pace: { patienceMs: 10_000 } });
  for (const odd of ["tiny/both", model]) {
    await writeFile(path, JSON.stringify({ ...file, experts: { nature: "tiny/nature", odd } }));
    const sources = await resolveSources(await loadExperiment(path), own);
    const text = `${odd}: its full model is used, and the adapter of its adapter_config.json left out; transformers loads that instead where peft is installed, so remove it before lm_eval scores this model`;
    expect(await examineParents(sources, own)).toEqual([{ name: odd, about: "model", verdict: "notice", text }]);
    const notices: string[] = [];
    const local = await fetchSources(sources, own, { onNotice: (notice) => void notices.push(notice) });
    expect(notices).toEqual([text]);
    const fetched = await readdir(local.experts[1]!.path);
    expect(fetched.includes("adapter_model.safetensors")).toBe(odd === model);
  }
});
