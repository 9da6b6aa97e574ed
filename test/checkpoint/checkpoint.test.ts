import { cpSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { WeightsDigest } from "../../src/checkpoint/weights-digest.ts";
import { UserError } from "../../src/errors.ts";
import type { Dtype } from "../../src/tensor/dtype.ts";
import { toFloat32 } from "../../src/tensor/half.ts";
import { flip } from "../flip.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { folderWith } from "./folder-with.ts";
import { rewriteAsTorch } from "./torch-bytes.ts";
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

  test.each(["one file", "shards"] as const)(
    "reads weights of torch.save in %s, with the same digest",
    async (layout) => {
      const [folder, other] = [await copyOf("single"), join(fixtures, "single")];
      await rewriteAsTorch(folder, layout);
      await using checkpoint = await Checkpoint.open(folder);
      await using safe = await Checkpoint.open(other);
      expect(await checkpoint.weightsDigest()).toBe(await safe.weightsDigest());
      expect(checkpoint.bytesRead).toBe(safe.bytesRead);
    },
  );

  test("prefers safetensors to torch.save", async () => {
    const folder = await folderWith({ "model.safetensors": safetensorsBytes(oneTensor, 4), "pytorch_model.bin": "" });
    await using checkpoint = await Checkpoint.open(folder);
    expect([...checkpoint.tensors.keys()]).toEqual(["a"]);
  });

  test("fails to read a file that was truncated after it was opened", async () => {
    const folder = await copyOf("single");
    await using checkpoint = await Checkpoint.open(folder);
    truncateSync(join(folder, "model.safetensors"), 490);
    await expect(checkpoint.read("layers.0.weight")).rejects.toThrow(
      new UserError(
        `${folder}/model.safetensors: expected bytes up to 504, found the end at 490; it was cut while open`,
      ),
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
