import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { compareParents } from "../../src/experiment/compare-parents.ts";
import { openCheckpoint } from "../../src/experiment/open-checkpoint.ts";
import { filesOfCheckpoint } from "../../src/experiment/parent-files.ts";
import type { Dtype } from "../../src/tensor/dtype.ts";
import { fromFloat32, toFloat32 } from "../../src/tensor/half.ts";
import type { VocabularyPolicy } from "../../src/vocabulary/plan-vocabulary.ts";
import { viewCheckpoints } from "../../src/vocabulary/view-checkpoints.ts";
import { flip } from "../flip.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeTinyAdapter } from "../tiny-adapter.ts";
import { writeTinyModel } from "../tiny-model.ts";
import { KIND, type TinyVocabulary, writeTinyVocabulary } from "./tiny-vocabularies.ts";
import { folderOf } from "../model/tokenizer/tokenizer-folders.ts";

const EMBEDDING = "model.embed_tokens.weight";
const HEAD = "lm_head.weight";

type Rows = readonly (readonly number[])[];

async function openUntilEnd(folder: string, base?: string): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(folder, { base });
  onTestFinished(() => checkpoint[Symbol.asyncDispose]());
  return checkpoint;
}

/** Rows of a tensor. */
async function rowsOf(checkpoint: Checkpoint, name: string): Promise<Rows> {
  const { dtype, shape } = checkpoint.tensors.get(name)!;
  const values = [...toFloat32(await checkpoint.read(name), dtype)];
  const [rows = 0, width = 0] = shape;
  expect(values).toHaveLength(rows * width);
  return Array.from({ length: rows }, (_, row) => values.slice(row * width, (row + 1) * width));
}

/** Models by name, the base first, opened as they are and as they are in a merge. */
async function opened(
  models: Readonly<Record<string, TinyVocabulary>>,
  policyOf: (folders: Readonly<Record<string, string>>) => VocabularyPolicy,
): Promise<{
  readonly own: (name: string) => Checkpoint;
  readonly viewed: (name: string) => Checkpoint;
  readonly changes: Readonly<Record<string, unknown>>;
  readonly texts: readonly string[];
}> {
  const root = await temporaryFolder();
  const own = new Map<string, Checkpoint>();
  const folders: Record<string, string> = {};
  for (const [i, [name, options]] of Object.entries(models).entries()) {
    folders[name] = await writeTinyVocabulary(join(root, name), { seed: i + 1, ...options });
    own.set(name, await openUntilEnd(folders[name]));
  }
  const files = await Promise.all([...own.values()].map(filesOfCheckpoint));
  const { findings, vocabulary } = await compareParents(files, { policy: policyOf(folders) });
  expect(findings.filter(({ verdict }) => verdict === "fault")).toEqual([]);
  const { checkpoints, changes } = viewCheckpoints(own, vocabulary!);
  const shown = (text: string): string =>
    Object.entries(folders).reduce((all, [name, folder]) => all.replaceAll(folder, name), text);
  return {
    own: (name) => own.get(name)!,
    viewed: (name) => checkpoints.get(name)!,
    changes,
    texts: findings.map(({ text }) => shown(text)),
  };
}

const meanOf = (dtype: Dtype, ...rows: readonly (readonly number[])[]): readonly number[] => {
  const sums = rows[0]!.map((_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length);
  return [...toFloat32(fromFloat32(Float32Array.from(sums), dtype), dtype)];
};

describe.each<Dtype>(["f32", "bf16", "f16"])("experts with two tokens each, in %s", (dtype) => {
  const models: Record<string, TinyVocabulary> = {
    base: { dtype },
    chat: { dtype, added: ["<|im_start|>", "<|im_end|>"] },
    tools: { dtype, added: ["<|tool|>", "<|im_end|>"], rows: 384 },
  };

  test("lose them where the base's tokenizer is the merge's", async () => {
    const { own, viewed, changes, texts } = await opened(models, () => "base");
    expect(changes).toEqual({});
    expect(viewed("base")).toBe(own("base"));
    for (const name of [EMBEDDING, HEAD]) {
      for (const expert of ["chat", "tools"]) {
        expect(viewed(expert).tensors.get(name)?.shape).toEqual([320, 16]);
        expect(await rowsOf(viewed(expert), name)).toEqual((await rowsOf(own(expert), name)).slice(0, 320));
      }
    }
    const leaving =
      "are left out, since the tokenizer of the base is used for all models; set tokenizer: union to keep";
    expect(texts).toEqual([
      `chat: its added tokens '<|im_start|>' and '<|im_end|>' ${leaving} them`,
      `tools: its added tokens '<|tool|>' and '<|im_end|>' ${leaving} them`,
    ]);
  });

  test("keep them in a union, and lend them to those that lack them", async () => {
    const { own, viewed, changes, texts } = await opened(models, () => "union");
    // 323 tokens, and as many rows as the largest embedding has.
    expect(changes).toEqual({ vocab_size: 384 });
    for (const name of [EMBEDDING, HEAD]) {
      const [base, chat, tools] = [
        await rowsOf(own("base"), name),
        await rowsOf(own("chat"), name),
        await rowsOf(own("tools"), name),
      ];
      const [start, end, tool] = [chat[320]!, chat[321]!, tools[320]!];
      const both = meanOf(dtype, end, tools[321]!);
      const found = [
        await rowsOf(viewed("base"), name),
        await rowsOf(viewed("chat"), name),
        await rowsOf(viewed("tools"), name),
      ];
      expect(found.map((rows) => rows.length)).toEqual([384, 384, 384]);
      expect(found.map((rows) => rows.slice(0, 320))).toEqual([base, chat, tools].map((rows) => rows.slice(0, 320)));
      expect(found[0]!.slice(320, 323)).toEqual([start, both, tool]);
      expect(found[1]!.slice(320, 323)).toEqual([start, end, tool]);
      expect(found[2]!.slice(320, 323)).toEqual([start, tools[321], tool]);
      // Padding is of the one that has it.
      for (const rows of found) expect(rows.slice(323)).toEqual(tools.slice(323));
    }
    expect(texts).toEqual([
      "chat: its added tokens '<|im_start|>' and '<|im_end|>' are kept, with embeddings behind those of the base",
      "tools: its added tokens '<|im_end|>' and '<|tool|>' are kept, with embeddings behind those of the base",
    ]);
  });

  test("have the tokens of one of them", async () => {
    const { own, viewed, changes } = await opened(
      { ...models, chat: { ...models["chat"], config: { eos_token_id: 321 } } },
      ({ chat: of = "" }) => ({ of }),
    );
    expect(changes).toEqual({ vocab_size: 322, eos_token_id: 321 });
    const chat = await rowsOf(own("chat"), EMBEDDING);
    const tools = await rowsOf(own("tools"), EMBEDDING);
    expect(viewed("chat")).toBe(own("chat"));
    expect((await rowsOf(viewed("base"), EMBEDDING)).slice(320)).toEqual([
      chat[320],
      meanOf(dtype, chat[321]!, tools[321]!),
    ]);
    expect((await rowsOf(viewed("tools"), EMBEDDING)).slice(320)).toEqual([chat[320], tools[321]]);
  });
});

test("words of other ids keep their embeddings", async () => {
  const swapped = { "!": 5, "#": 3 };
  const { own, viewed, texts } = await opened(
    {
      base: {},
      other: {
        changes: Object.entries(swapped).map(([word, id]) => ["tokenizer.json", `model.vocab.${word}`, id] as const),
      },
    },
    () => "base",
  );
  const [mine, seen] = [await rowsOf(own("other"), EMBEDDING), await rowsOf(viewed("other"), EMBEDDING)];
  expect([seen[3], seen[5]]).toEqual([mine[5], mine[3]]);
  expect(seen.toSpliced(3, 3)).toEqual(mine.toSpliced(3, 3));
  expect(texts).toEqual(["other: it has '!' and '#' under other ids than the base; embeddings are merged by token"]);
});

describe("padding", () => {
  test("of an expert is cut to that of the base, and lent by it", async () => {
    const { own, viewed, texts } = await opened({ base: { rows: 336 }, wide: { rows: 384 }, narrow: {} }, () => "base");
    const [base, narrow] = [await rowsOf(own("base"), EMBEDDING), await rowsOf(own("narrow"), EMBEDDING)];
    expect(await rowsOf(viewed("wide"), EMBEDDING)).toEqual((await rowsOf(own("wide"), EMBEDDING)).slice(0, 336));
    expect(await rowsOf(viewed("narrow"), EMBEDDING)).toEqual([...narrow, ...base.slice(320)]);
    expect(texts).toEqual([]);
  });

  test.each([
    [320, 321, 322],
    [320, 322, 322],
    [320, 384, 384],
    [321, 321, 322],
    [320, 336, 336],
  ])("of %i and %i rows becomes that of %i where 322 tokens are needed", async (base, expert, rows) => {
    const added = base === 321 || expert === 321 ? ["<a>"] : ["<a>", "<b>"];
    const models = { base: { rows: base }, one: { added, rows: expert }, two: { added: ["<a>", "<b>"] } };
    const { changes } = await opened(models, () => "union");
    expect(changes).toEqual({ vocab_size: rows });
  });

  test("is not what a token without a row gets", async () => {
    const { changes, texts } = await opened({ base: {}, expert: { added: ["<pad>"], rows: 320 } }, () => "union");
    expect(changes).toEqual({});
    expect(texts).toHaveLength(1);
    expect(texts[0]).toContain("added token '<pad>': none in the base, one without an embedding here");
  });
});

describe("a head", () => {
  test("of one model makes heads of the embeddings of all others", async () => {
    const { own, viewed, changes, texts } = await opened(
      { base: { tied: true }, other: { tied: true, added: ["<x>"] }, untied: {} },
      () => "base",
    );
    expect(changes).toEqual({ tie_word_embeddings: false });
    for (const name of ["base", "other"]) {
      expect(viewed(name).tensors.get(HEAD)?.shape).toEqual([320, 16]);
      expect(await rowsOf(viewed(name), HEAD)).toEqual((await rowsOf(own(name), EMBEDDING)).slice(0, 320));
    }
    expect(viewed("untied")).toBe(own("untied"));
    const because =
      "its head is its embedding, and untied has both; so has a merge, with that embedding for this one's head";
    expect(texts.filter((text) => text.includes("head"))).toEqual([`base: ${because}`, `other: ${because}`]);
  });

  test("of an adapter is its embedding, as the adapter changes it", async () => {
    const root = await temporaryFolder();
    const shared = { tokenizer: folderOf(KIND), seed: 3 } as const;
    const base = await writeTinyModel(join(root, "base"), { ...shared, tied: true });
    const untied = await writeTinyModel(join(root, "untied"), { ...shared, seed: 4 });
    const adapter = await writeTinyAdapter(join(root, "adapter"), base, { seed: 5 });
    const own = new Map([
      ["base", await openUntilEnd(base)],
      ["adapter", await openUntilEnd(adapter, base)],
      ["untied", await openUntilEnd(untied)],
    ]);
    const files = await Promise.all([...own.values()].map(filesOfCheckpoint));
    const { findings, vocabulary } = await compareParents(files);
    expect(findings.filter(({ verdict }) => verdict === "fault")).toEqual([]);
    const { checkpoints } = viewCheckpoints(own, vocabulary!);
    expect(await rowsOf(checkpoints.get("adapter")!, HEAD)).toEqual(await rowsOf(own.get("adapter")!, EMBEDDING));
  });
});

test("a row that is lent is noticed when it changes", async () => {
  const { own, viewed } = await opened({ base: {}, chat: { added: ["<|im_end|>"] } }, () => "union");
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
  onTestFinished(() => void vi.useRealTimers());
  const read = (): Promise<Uint8Array> => viewed("base").read(EMBEDDING);
  expect(await read()).toEqual(await read());
  const { path, start } = own("chat").placeOf(EMBEDDING)!;
  const { shape, bytes } = own("chat").tensors.get(EMBEDDING)!;
  flip(path, start + (320 * bytes) / shape[0]!);
  await expect(read()).rejects.toThrow(`tensor ${EMBEDDING}: expected`);
});

test("models of one vocabulary stay as they are, whatever the policy", async () => {
  for (const policy of ["base", "union"] as const) {
    const { own, viewed, changes, texts } = await opened({ base: {}, expert: {} }, () => policy);
    expect([viewed("base") === own("base"), viewed("expert") === own("expert"), changes, texts]).toEqual([
      true,
      true,
      {},
      [],
    ]);
  }
});
