import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { WeightsDigest } from "../../src/checkpoint/weights-digest.ts";
import { UserError } from "../../src/errors.ts";
import type { Dtype } from "../../src/tensor/dtype.ts";
import { toFloat32 } from "../../src/tensor/half.ts";
import { flip } from "../flip.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { safetensorsBytes } from "./safetensors-bytes.ts";

type Reference = Record<string, { dtype: Dtype; shape: number[]; values: number[] }>;

const fixtures = join(import.meta.dirname, "../fixtures/checkpoint");
const references = JSON.parse(readFileSync(join(fixtures, "values.json"), "utf8")) as Record<string, Reference>;
const oneTensor = { a: { dtype: "BF16", shape: [2], data_offsets: [0, 4] } };

async function copyOf(fixture: "single" | "sharded"): Promise<string> {
  const folder = join(await temporaryFolder(), fixture);
  cpSync(join(fixtures, fixture), folder, { recursive: true });
  return folder;
}

type Files = Record<string, string | Uint8Array | object>;

/** A folder with config.json and the given files; objects are written as JSON. */
async function folderWith(files: Files): Promise<string> {
  const folder = await temporaryFolder();
  const all: Files = { "config.json": "{}", ...files };
  for (const [name, content] of Object.entries(all)) {
    const raw = typeof content === "string" || content instanceof Uint8Array;
    writeFileSync(join(folder, name), raw ? content : JSON.stringify(content));
  }
  return folder;
}

async function digestOf(file: Uint8Array): Promise<string> {
  await using checkpoint = await Checkpoint.open(await folderWith({ "model.safetensors": file }));
  return await checkpoint.weightsDigest();
}

describe("checkpoint", () => {
  test.each(Object.entries(references))(
    "reads the %s folder as the original libraries wrote it",
    async (name, tensors) => {
      await using checkpoint = await Checkpoint.open(join(fixtures, name));
      expect(checkpoint.config).toEqual({ model_type: "llama", hidden_size: 4 });
      expect([...checkpoint.tensors.keys()].toSorted()).toEqual(Object.keys(tensors).toSorted());
      for (const [tensor, { dtype, shape, values }] of Object.entries(tensors)) {
        expect(checkpoint.tensors.get(tensor)).toMatchObject({ name: tensor, dtype, shape });
        expect([...toFloat32(await checkpoint.read(tensor), dtype)]).toEqual(values);
      }
    },
  );

  test("counts the bytes of the tensors it has read, and only those", async () => {
    await using checkpoint = await Checkpoint.open(join(fixtures, "sharded"));
    expect(checkpoint.bytesRead).toBe(0);
    await checkpoint.read("layers.0.weight");
    await Promise.all([checkpoint.read("layers.0.weight"), checkpoint.read("layers.4.weight")]);
    expect(checkpoint.bytesRead).toBe(3 * 32);
  });

  test("gives every tensor its own memory", async () => {
    await using checkpoint = await Checkpoint.open(join(fixtures, "single"));
    const bytes = await checkpoint.read("norm.weight");
    expect(bytes.buffer.byteLength).toBe(20);
    bytes.fill(0);
    expect(await checkpoint.read("norm.weight")).not.toEqual(bytes);
  });

  test("reads shards through links, as in the Hugging Face cache", async () => {
    const [folder, blobs] = [await copyOf("sharded"), await copyOf("sharded")];
    const shard = "model-00001-of-00003.safetensors";
    rmSync(join(folder, shard));
    symlinkSync(join(blobs, shard), join(folder, shard));
    await using checkpoint = await Checkpoint.open(folder);
    expect(await checkpoint.read("layers.0.weight")).toHaveLength(32);
  });

  test("prefers model.safetensors to an index, as transformers does", async () => {
    const folder = await folderWith({
      "model.safetensors": safetensorsBytes(oneTensor, 4),
      "model.safetensors.index.json": "",
    });
    await using checkpoint = await Checkpoint.open(folder);
    expect([...checkpoint.tensors.keys()]).toEqual(["a"]);
  });

  test("fails to read a file that was truncated after it was opened", async () => {
    const folder = await copyOf("single");
    await using checkpoint = await Checkpoint.open(folder);
    truncateSync(join(folder, "model.safetensors"), 490);
    await expect(checkpoint.read("layers.0.weight")).rejects.toThrow(
      new UserError(`${folder}/model.safetensors: the file ends at byte 490, expected 504; it was cut while open`),
    );
    expect(checkpoint.bytesRead).toBe(0);
  });

  test("treats a tensor that is not there as a bug of the caller", async () => {
    await using checkpoint = await Checkpoint.open(join(fixtures, "single"));
    await expect(checkpoint.read("no such")).rejects.not.toBeInstanceOf(UserError);
  });
});

describe("the digest of all weights", () => {
  const dataBytes = 5 * 2 ** 20;
  const header = { a: { dtype: "BF16", shape: [dataBytes / 2], data_offsets: [0, dataBytes] } };

  test("is the same for a copy and differs between models", async () => {
    const [single, copy, sharded] = [join(fixtures, "single"), await copyOf("single"), join(fixtures, "sharded")];
    const prints = [];
    for (const folder of [single, copy, sharded]) {
      await using checkpoint = await Checkpoint.open(folder);
      prints.push(await checkpoint.weightsDigest());
    }
    expect(prints[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(prints[1]).toBe(prints[0]);
    expect(prints[2]).not.toBe(prints[0]);
  });

  test("sees a change of the header, and of the data anywhere", async () => {
    const file = safetensorsBytes(header, dataBytes);
    const prints = new Set([await digestOf(file)]);
    const dataStart = file.length - dataBytes;
    // The last two lie between the three samples of a mebibyte that used to stand for all.
    const places = [
      dataStart,
      dataStart + dataBytes / 2,
      file.length - 1,
      dataStart + 1.5 * 2 ** 20,
      dataStart + 3.7e6,
    ];
    for (const at of places) {
      const changed = new Uint8Array(file);
      changed[at]! ^= 1;
      prints.add(await digestOf(changed));
    }
    prints.add(await digestOf(safetensorsBytes({ b: header.a }, dataBytes)));
    expect(prints.size).toBe(7);
  });

  test("is the digest that the merged weights of an export have", async () => {
    await using checkpoint = await Checkpoint.open(join(fixtures, "sharded"));
    const digest = new WeightsDigest();
    for (const tensor of checkpoint.tensors.values()) await digest.add(tensor, await checkpoint.read(tensor.name));
    expect(await checkpoint.weightsDigest()).toBe(digest.digest());
  });
});

describe("a tensor that is read again", () => {
  const dataBytes = 3 * 2 ** 23 + 8;
  const tensor = { dtype: "BF16", shape: [dataBytes / 2], data_offsets: [0, dataBytes] };

  /** A model of one tensor of several pieces, open, and its file. */
  async function openLarge(): Promise<{ checkpoint: Checkpoint; path: string; dataStart: number }> {
    const file = safetensorsBytes({ a: tensor }, dataBytes);
    const folder = await folderWith({ "model.safetensors": file });
    const checkpoint = await Checkpoint.open(folder);
    onTestFinished(() => checkpoint[Symbol.asyncDispose]());
    return { checkpoint, path: join(folder, "model.safetensors"), dataStart: file.length - dataBytes };
  }

  test.each([0, 2 ** 23 - 1, 2 ** 23, dataBytes / 2, dataBytes - 1])(
    "is refused when its byte %d has changed, and taken when it is restored",
    async (at) => {
      const { checkpoint, path, dataStart } = await openLarge();
      const bytes = await checkpoint.read("a");
      flip(path, dataStart + at);
      const reason: unknown = await checkpoint.read("a").catch((error: unknown) => error);
      expect(reason).toBeInstanceOf(UserError);
      expect((reason as UserError).message.replaceAll(/\b[0-9a-f]{12}\b/g, "#")).toBe(
        `${path}: tensor a: expected bf16 [${dataBytes / 2}] # as when it was first read, found bf16 [${dataBytes / 2}] #; restore the file, or start a new run`,
      );
      flip(path, dataStart + at);
      // Element by element, an assertion would take minutes over so many.
      expect(Buffer.compare(await checkpoint.read("a"), bytes)).toBe(0);
    },
  );

  test("is held to what an earlier process found, its type included", async () => {
    const { checkpoint, path } = await openLarge();
    await checkpoint.read("a");
    await using again = await Checkpoint.open(dirname(path));
    again.expect(checkpoint.known);
    await again.checkUnread();
    expect(again.bytesRead).toBe(dataBytes);
    await again.checkUnread();
    expect(again.bytesRead).toBe(dataBytes);

    writeFileSync(path, safetensorsBytes({ a: { ...tensor, dtype: "F16" } }, dataBytes));
    await using other = await Checkpoint.open(dirname(path));
    other.expect(checkpoint.known);
    await expect(other.checkUnread()).rejects.toThrow(/tensor a: expected bf16 \S+ \S+ as when .* found f16/);
  });

  test("leaves the event loop its turn while it is read and hashed", async () => {
    const { checkpoint } = await openLarge();
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 0);
    await checkpoint.read("a");
    clearInterval(ticking);
    expect(turns).toBeGreaterThan(1);
  });
});

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
    expect([...checkpoint.tensors.keys()]).toEqual(["a", "b"]);
  });

  test("keep tensors of other types apart", async () => {
    const ids = { dtype: "I64", shape: [1], data_offsets: [4, 12] };
    const folder = await folderWith({ "model.safetensors": safetensorsBytes({ ...oneTensor, ids }, 12) });
    await using checkpoint = await Checkpoint.open(folder);
    expect([...checkpoint.tensors.keys()]).toEqual(["a"]);
    expect([...checkpoint.others]).toEqual([["ids", "I64"]]);
  });
});

describe("folders that are refused", () => {
  test.each<[string, Files, string]>([
    ["no weights", {}, "F: no weights; expected model.safetensors or model.safetensors.index.json"],
    [
      "pickled weights only",
      { "training_args.bin": "", "pytorch_model.bin": "" },
      "F/pytorch_model.bin: pickled weights can run code and are never loaded; convert them to safetensors",
    ],
    [
      "a config.json that is not JSON",
      { "config.json": "{" },
      "F/config.json: expected a JSON object: this JSON ends too early",
    ],
    ["a config.json that is a list", { "config.json": "[]" }, "F/config.json: expected a JSON object"],
    ["an index that is not JSON", { [index]: "" }, `F/${index}: expected a JSON object: this JSON ends too early`],
    ["an index without weight_map", { [index]: "{}" }, `F/${index}: weight_map is undefined, expected an object`],
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
      "a tensor in two shards without an index",
      { "model-00001-of-00002.safetensors": shard, "model-00002-of-00002.safetensors": shard },
      "F/model-00001-of-00002.safetensors: tensor 'a' is in model-00001-of-00002.safetensors and in model-00002-of-00002.safetensors",
    ],
    [
      "weights under a name that says nothing",
      { "consolidated.safetensors": shard },
      `F: no weights; expected model.safetensors or ${index}, found consolidated.safetensors; rename it if it holds the weights of this model`,
    ],
    [
      "an adapter with a config.json",
      { "adapter_config.json": {}, "adapter_model.safetensors": shard },
      "F is a LoRA adapter; evomerge scores full models so far: merge it into its base, in Python with peft's merge_and_unload, and give that folder",
    ],
    [
      "a tensor that its shard lacks",
      { [index]: { weight_map: { a: "x.safetensors", b: "x.safetensors" } }, "x.safetensors": shard },
      `F/${index}: weight_map puts tensor 'b' in x.safetensors, which does not have it`,
    ],
    [
      "a tensor that the index lacks",
      { [index]: { weight_map: { b: "x.safetensors" } }, "x.safetensors": shard },
      `F/${index}: tensor 'a' is in x.safetensors, but weight_map says undefined`,
    ],
    [
      "a tensor in two shards",
      {
        [index]: { weight_map: { a: "x.safetensors", b: "y.safetensors" } },
        "x.safetensors": shard,
        "y.safetensors": shard,
      },
      `F/${index}: tensor 'a' is in y.safetensors, but weight_map says 'x.safetensors'`,
    ],
    [
      "a shard with a broken header",
      {
        [index]: { weight_map: { a: "x.safetensors", b: "y.safetensors" } },
        "x.safetensors": shard,
        "y.safetensors": "",
      },
      "F/y.safetensors: the file has 0 bytes, too few for a safetensors header",
    ],
  ])("%s", async (_, files, message) => {
    const folder = await folderWith(files);
    await expect(Checkpoint.open(folder)).rejects.toThrow(new UserError(message.replace("F", folder)));
  });

  test.each([
    "../x.safetensors",
    "/etc/x.safetensors",
    "a/x.safetensors",
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
      /model\.safetensors\.index\.json: tensor 'a' is mapped to .*, expected the name of a \.safetensors file in the folder$/,
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
