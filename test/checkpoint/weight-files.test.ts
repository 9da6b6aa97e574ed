import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { UserError } from "../../src/errors.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { type Files, folderWith } from "./folder-with.ts";
import { safetensorsBytes } from "./safetensors-bytes.ts";

const oneTensor = { a: { dtype: "BF16", shape: [2], data_offsets: [0, 4] } };
const index = "model.safetensors.index.json";
const shard = safetensorsBytes(oneTensor, 4);
const otherShard = safetensorsBytes({ b: oneTensor.a }, 4);

describe("shards", () => {
  test.each<[string, Files]>([
    ["without an index", { "model-00001-of-00002.safetensors": shard, "model-00002-of-00002.safetensors": otherShard }],
    [
      "of another name without an index",
      { "pytorch_model-00001-of-00002.safetensors": shard, "pytorch_model-00002-of-00002.safetensors": otherShard },
    ],
    [
      "numbered from 0 without an index",
      { "model-00000-of-00002.safetensors": shard, "model-00001-of-00002.safetensors": otherShard },
    ],
    [
      "of short numbers without an index",
      { "model-1-of-2.safetensors": shard, "model-2-of-2.safetensors": otherShard },
    ],
    ...["my weights.safetensors", "modèle-模型.safetensors", "m+(2).safetensors", "-m.safetensors"].map(
      (name): [string, Files] => [
        `as ${name}`,
        { [index]: { weight_map: { a: name, b: "b.safetensors" } }, [name]: shard, "b.safetensors": otherShard },
      ],
    ),
    [
      "whose names in the index begin with ./",
      {
        [index]: { weight_map: { a: "./x.safetensors", b: "././y.safetensors" } },
        "x.safetensors": shard,
        "y.safetensors": otherShard,
      },
    ],
    [
      "in folders that the index names",
      {
        [index]: { weight_map: { a: "shards/x.safetensors", b: "shards/y.safetensors" } },
        "shards/x.safetensors": shard,
        "shards/y.safetensors": otherShard,
      },
    ],
    [
      "of an index beside those of another training",
      {
        [index]: { weight_map: { a: "model-00001-of-00002.safetensors", b: "model-00002-of-00002.safetensors" } },
        "model-00001-of-00002.safetensors": shard,
        "model-00002-of-00002.safetensors": otherShard,
        "model-00001-of-00001.safetensors": shard,
      },
    ],
    [
      "of two names without an index",
      {
        "model-00001-of-00002.safetensors": shard,
        "model-00002-of-00002.safetensors": otherShard,
        "consolidated-00001-of-00001.safetensors": shard,
      },
    ],
    [
      "of names that only the index knows",
      {
        [index]: { weight_map: { a: "x.safetensors", b: "y.safetensors" } },
        "x.safetensors": shard,
        "y.safetensors": otherShard,
      },
    ],
  ])("%s are read", async (_, files) => {
    await using checkpoint = await Checkpoint.open(await folderWith(files));
    expect([...checkpoint.tensors.keys()].toSorted()).toEqual(["a", "b"]);
  });

  test("keep tensors of other types apart", async () => {
    const ids = { dtype: "I64", shape: [1], data_offsets: [4, 12] };
    const folder = await folderWith({ "model.safetensors": safetensorsBytes({ ...oneTensor, ids }, 12) });
    await using checkpoint = await Checkpoint.open(folder);
    expect([...checkpoint.tensors.keys()]).toEqual(["a"]);
    expect([...checkpoint.others]).toEqual([["ids", "I64"]]);
  });
});

describe("what is said differently of a tensor", () => {
  test.each<[string, Files, Record<string, string>]>([
    [
      "by two shards without an index",
      { "model-00001-of-00002.safetensors": shard, "model-00002-of-00002.safetensors": shard },
      { a: "model-00001-of-00002.safetensors: tensor 'a' is in this file and in model-00002-of-00002.safetensors" },
    ],
    [
      "by an index and the shard that lacks it",
      { [index]: { weight_map: { a: "x.safetensors", b: "x.safetensors" } }, "x.safetensors": shard },
      { b: `${index}: weight_map puts tensor 'b' in x.safetensors, which does not have it` },
    ],
    [
      "by a shard and the index that lacks it",
      {
        [index]: { weight_map: { b: "y.safetensors", c: "x.safetensors" } },
        "x.safetensors": shard,
        "y.safetensors": otherShard,
      },
      {
        a: `${index}: tensor 'a' is in x.safetensors, but weight_map does not name it`,
        c: `${index}: weight_map puts tensor 'c' in x.safetensors, which does not have it`,
      },
    ],
    [
      "by an index and another shard",
      {
        [index]: { weight_map: { a: "y.safetensors", b: "x.safetensors" } },
        "x.safetensors": shard,
        "y.safetensors": otherShard,
      },
      {
        a: `${index}: tensor 'a' is in x.safetensors, but weight_map says 'y.safetensors'`,
        b: `${index}: tensor 'b' is in y.safetensors, but weight_map says 'x.safetensors'`,
      },
    ],
  ])("%s is known by the tensor's name", async (_, files, expected) => {
    await using checkpoint = await Checkpoint.open(await folderWith(files));
    expect(Object.fromEntries(checkpoint.disagreements)).toEqual(expected);
  });
});

describe("folders that are refused", () => {
  test.each<[string, Files, string]>([
    ["no weights", {}, "F: no weights; expected model.safetensors or model.safetensors.index.json"],
    [
      "pickled weights of another name",
      { "training_args.bin": "", "weights.pt": "" },
      "F/weights.pt: expected weights in model.safetensors or pytorch_model.bin, or shards of these, found a pickle of another name; convert it to safetensors",
    ],
    [
      "an index that puts tensors of torch.save into another format",
      { "pytorch_model.bin.index.json": { weight_map: { a: "model.safetensors" } } },
      "F/pytorch_model.bin.index.json: tensor 'a': expected the path of a .bin file inside the folder, found 'model.safetensors'",
    ],
    [
      "a missing shard of torch.save",
      { "pytorch_model-00001-of-00002.bin": "" },
      "F/pytorch_model-00002-of-00002.bin: no such file, but pytorch_model-00001-of-00002.bin is one of 2; download the model in full",
    ],
    [
      "a config.json that is not JSON",
      { "config.json": "{" },
      "F/config.json: expected a JSON object: this JSON ends too early",
    ],
    ["a config.json that is a list", { "config.json": "[]" }, "F/config.json: expected a JSON object"],
    ["an index that is not JSON", { [index]: "" }, `F/${index}: expected a JSON object: this JSON ends too early`],
    ["an index without weight_map", { [index]: "{}" }, `F/${index}: weight_map: expected an object, found undefined`],
    [
      "a shard that is missing",
      { [index]: { weight_map: { a: "x.safetensors" } } },
      `F/x.safetensors: no such file, but ${index} names it; download the model in full`,
    ],
    [
      "shards that are missing, without an index",
      { "model-00002-of-00003.safetensors": shard },
      "F/model-00001-of-00003.safetensors, model-00003-of-00003.safetensors: no such file, but model-00002-of-00003.safetensors is one of 3; download the model in full",
    ],
    [
      "weights under a name that says nothing",
      { "consolidated.safetensors": shard },
      `F: no weights; expected model.safetensors or ${index}, found consolidated.safetensors; rename it if it holds the weights of this model`,
    ],
    [
      "several weights under names that say nothing",
      { "x.safetensors": shard, "y.safetensors": otherShard },
      `F: no weights; expected model.safetensors or ${index}, found x.safetensors and 1 more, and nothing tells which of them hold this model; download it in full`,
    ],
    ...["model", "x"].map((stem): [string, Files, string] => [
      `two series of shards of ${stem}`,
      { [`${stem}-00001-of-00001.safetensors`]: shard, [`${stem}-00001-of-00002.safetensors`]: shard },
      `F/${stem}-00001-of-00001.safetensors: expected the shards of one model, found ${stem}-00001-of-00002.safetensors beside it, and no ${index} that tells which are meant; remove the others`,
    ]),
    [
      "an index of nothing",
      { [index]: { weight_map: {} }, "model-00001-of-00001.safetensors": shard },
      `F/${index}: weight_map: expected the file of every tensor, found none`,
    ],
    [
      "a missing shard in a folder",
      { [index]: { weight_map: { a: "shards/x.safetensors" } } },
      `F/shards/x.safetensors: no such file, but ${index} names it; download the model in full`,
    ],
    ...["adapter_model.safetensors", "adapter_model.bin"].map((name): [string, Files, string] => [
      `an ${name} alone`,
      { [name]: shard },
      "F is a LoRA adapter; expected a full model here: name the model that it was trained on as the base, and the adapter as an expert",
    ]),
    [
      "an adapter with a config.json",
      { "adapter_config.json": {}, "adapter_model.safetensors": shard },
      "F is a LoRA adapter; expected a full model here: name the model that it was trained on as the base, and the adapter as an expert",
    ],
    [
      "a shard with a broken header",
      {
        [index]: { weight_map: { a: "x.safetensors", b: "y.safetensors" } },
        "x.safetensors": shard,
        "y.safetensors": "",
      },
      "F/y.safetensors: expected a safetensors header, found a file of 0 bytes",
    ],
  ])("%s", async (_, files, message) => {
    const folder = await folderWith(files);
    await expect(Checkpoint.open(folder)).rejects.toThrow(new UserError(message.replace("F", folder)));
  });

  test.each([
    "../x.safetensors",
    "/etc/x.safetensors",
    "a/../x.safetensors",
    "a//x.safetensors",
    "./../x.safetensors",
    "a\\x.safetensors",
    "C:x.safetensors",
    "..",
    ".",
    "",
    "x.bin",
    "x\0.safetensors",
    "x.safetensors\n",
    1,
    null,
  ])("a shard named %j", async (name) => {
    const folder = await folderWith({ [index]: { weight_map: { a: name } } });
    await expect(Checkpoint.open(folder)).rejects.toThrow(
      /model\.safetensors\.index\.json: tensor 'a': expected the path of a \.safetensors file inside the folder, found .*$/,
    );
  });

  test("a folder that does not exist", async () => {
    const folder = join(await temporaryFolder(), "no");
    await expect(Checkpoint.open(folder)).rejects.toThrow(
      new UserError(`${folder}: no such file or directory; expected a Hugging Face model folder`),
    );
  });

  test("a folder in the place of the weights", async () => {
    const folder = await folderWith({});
    mkdirSync(join(folder, "model.safetensors"));
    await expect(Checkpoint.open(folder)).rejects.toThrow(
      new UserError(
        `${folder}/model.safetensors: expected weights in safetensors, found something that is not a regular file`,
      ),
    );
  });

  test("a folder without config.json", async () => {
    const folder = await temporaryFolder();
    await expect(Checkpoint.open(folder)).rejects.toThrow(
      new UserError(`${folder}/config.json: no such file; expected a Hugging Face model folder`),
    );
  });
});
