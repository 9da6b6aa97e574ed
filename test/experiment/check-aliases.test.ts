import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { haveSameValues } from "../../src/checkpoint/same-weights.ts";
import { writeCheckpoint } from "../../src/checkpoint/write-checkpoint.ts";
import { compareParents } from "../../src/experiment/compare-parents.ts";
import { logProbabilities } from "../../src/experiment/log-probabilities.ts";
import { filesOfFolder } from "../../src/experiment/parent-files.ts";
import { type Dtype, elementCount } from "../../src/tensor/dtype.ts";
import { fromFloat32, toFloat32 } from "../../src/tensor/half.ts";
import { editTensors, type RawTensors } from "../checkpoint/edit-tensors.ts";
import { rewriteAsTorch } from "../checkpoint/torch-bytes.ts";
import { folderWith } from "../checkpoint/folder-with.ts";
import { refusal } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeTinyAdapter } from "../tiny-adapter.ts";
import { writeTinyModel } from "../tiny-model.ts";

const tokenizer = join(import.meta.dirname, "..", "fixtures", "tasks", "tokenizers", "byte-level");
const EMBEDDING = "model.embed_tokens.weight";
const HEAD = "lm_head.weight";

interface Head {
  readonly dtype?: Dtype;
  readonly edit?: (values: Float32Array) => void;
}

/** A model whose configuration ties head and embedding, and whose weights hold both. */
async function tiedModel(dtype: Dtype, { dtype: headDtype = dtype, edit }: Head = {}): Promise<string> {
  const folder = await temporaryFolder();
  const model = await writeTinyModel(join(folder, "model"), { tied: true, dtype, tokenizer });
  const single = await writeTinyModel(join(folder, "single"), { tied: true, dtype, tokenizer });
  await using checkpoint = await Checkpoint.open(single);
  const stored = toFloat32(await checkpoint.read(EMBEDDING), dtype);
  edit?.(stored);
  const { shape } = checkpoint.tensors.get(EMBEDDING)!;
  expect(stored).toHaveLength(elementCount(shape));
  await rm(join(model, "model.safetensors"));
  const specs = [...checkpoint.tensors.values(), { name: HEAD, shape, dtype: headDtype }];
  await writeCheckpoint(model, specs, async (name) =>
    name === HEAD ? fromFloat32(stored, headDtype) : checkpoint.read(name),
  );
  return model;
}

const changeLast = (values: Float32Array): void => void (values[values.length - 1]! += 1);

async function faultsOf(folder: string): Promise<string[]> {
  const { findings } = await compareParents([await filesOfFolder(folder)]);
  return findings.filter(({ verdict }) => verdict === "fault").map(({ text }) => text);
}

const sentence = (folder: string): string =>
  `${folder}: tensor lm_head.weight: expected the values of model.embed_tokens.weight, since tie_word_embeddings is true, found others; set tie_word_embeddings to false where both are meant, or remove the one that is not meant`;

describe("a head that is tied to the embedding and is in the weights beside it", () => {
  test.each<[Dtype, Dtype]>([
    ["bf16", "bf16"],
    ["f32", "f32"],
    ["bf16", "f32"],
  ])("is accepted where it is the embedding: %s, head %s", async (dtype, headDtype) => {
    const folder = await tiedModel(dtype, { dtype: headDtype });
    expect(await faultsOf(folder)).toEqual([]);
    const alone = join(folder, "..", "single");
    const [ids, engine] = [[1, 5, 9, 2], "ggml"] as const;
    expect(await logProbabilities({ folder, ids, engine })).toEqual(
      await logProbabilities({ folder: alone, ids, engine }),
    );
  });

  test("is refused where its type has rounded it, since f32 tells the two apart", async () => {
    const folder = await tiedModel("f32", { dtype: "bf16" });
    expect(await faultsOf(folder)).toEqual([sentence(folder)]);
  });

  test.each<Dtype>(["bf16", "f16", "f32"])("is refused where one value is another: %s", async (dtype) => {
    const folder = await tiedModel(dtype, { edit: changeLast });
    expect(await faultsOf(folder)).toEqual([sentence(folder)]);
    expect(await refusal(logProbabilities({ folder, ids: [1, 2], engine: "ggml" }))).toBe(sentence(folder));
  });

  test("is compared to its end where it is large", async () => {
    const shape = [3, 2 ** 21];
    const folder = await folderWith({});
    const bytes = (name: string): Uint8Array => new Uint8Array(2 * elementCount(shape)).fill(name === "c" ? 1 : 0, -1);
    const specs = ["a", "b", "c"].map((name) => ({ name, shape, dtype: "bf16" as const }));
    await writeCheckpoint(folder, specs, async (name) => bytes(name));
    await using checkpoint = await Checkpoint.open(folder);
    expect(await haveSameValues(checkpoint, ["a", "b"])).toBe(true);
    expect(await haveSameValues(checkpoint, ["a", "c"])).toBe(false);
  });

  test("is compared in files of torch.save too", async () => {
    const [equal, other] = [await tiedModel("bf16"), await tiedModel("bf16", { edit: changeLast })];
    for (const folder of [equal, other]) await rewriteAsTorch(folder);
    expect(await faultsOf(equal)).toEqual([]);
    expect(await faultsOf(other)).toEqual([sentence(other)]);
  });

  test("is still one with the embedding for an adapter of the model", async () => {
    const base = await tiedModel("f32");
    const adapter = await writeTinyAdapter(join(base, "..", "adapter"), base);
    const [head, embedding] = [`base_model.model.${HEAD}`, `base_model.model.${EMBEDDING}`];
    await using checkpoint = await Checkpoint.open(base);
    const { shape } = checkpoint.tensors.get(EMBEDDING)!;
    const saved = { dtype: "F32", shape, bytes: await checkpoint.read(EMBEDDING) };
    const faults = async (tensors: RawTensors): Promise<string[]> => {
      editTensors(join(adapter, "adapter_model.safetensors"), (own) => ({ ...own, ...tensors }));
      const { findings } = await compareParents([await filesOfFolder(base), await filesOfFolder(adapter)]);
      return findings.filter(({ verdict }) => verdict === "fault").map(({ text }) => text);
    };
    expect(await faults({})).toEqual([]);
    expect(await faults({ [head]: saved })).toEqual([
      expect.stringContaining(`'${head}': head and embedding of the base are one, and would be so no more`),
    ]);
    expect(await faults({ [embedding]: saved })).toEqual([]);
    expect(await faults({ [embedding]: { ...saved, bytes: saved.bytes.toReversed() } })).toEqual([
      expect.stringContaining(`tensor ${head}: expected the values of ${embedding}`),
    ]);
  });
});
