import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { neededFiles } from "../../../src/hub/transfer/needed-files.ts";
import type { Repository } from "../../../src/hub/cache/repository.ts";

const commit = "c".repeat(40);

function repositoryOf(paths: readonly string[]): Repository {
  const requested = { name: "org/name", revision: "main" };
  const files = paths.map((path) => ({ path, bytes: 1, blob: "d".repeat(40) }));
  return { source: "cache", type: "model", name: "org/name", requested, commit, files };
}

function needed(paths: readonly string[], extent: "all" | "without weights" = "all"): string[] {
  return neededFiles(repositoryOf(paths), extent).map(({ path }) => path);
}

const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
const small = [
  "LICENSE.txt",
  "NOTICE",
  "README.md",
  "added_tokens.json",
  "chat_template.jinja",
  "config.json",
  "generation_config.json",
  "merges.txt",
  "special_tokens_map.json",
  "spiece.model",
  "tokenizer.json",
  "tokenizer.model",
  "tokenizer_config.json",
  "vocab.json",
];
const other = [
  ".gitattributes",
  "consolidated.safetensors",
  "consolidated.00.pth",
  "model.gguf",
  "onnx/model.onnx",
  "onnx/config.json",
  "original/model.safetensors",
  "original/params.json",
  "pytorch_model-00001-of-00002.bin",
  "pytorch_model.bin.index.json",
];

describe("neededFiles", () => {
  test("takes what a model is read from, and leaves other formats of its weights", () => {
    expect(needed([...small, ...other, "model.safetensors"])).toEqual([...small, "model.safetensors"]);
  });

  test("takes one file rather than shards", () => {
    const index = "model.safetensors.index.json";
    expect(needed(["config.json", index, ...shards])).toEqual(["config.json", index, ...shards]);
    expect(needed(["config.json", index, ...shards, "model.safetensors"])).toEqual([
      "config.json",
      "model.safetensors",
    ]);
  });

  test("leaves the weights out when they are not wanted, but not their index", () => {
    const index = "model.safetensors.index.json";
    expect(needed(["config.json", index, ...shards], "without weights")).toEqual(["config.json", index]);
  });

  test("takes an adapter", () => {
    const adapter = ["adapter_config.json", "adapter_model.safetensors"];
    expect(needed([...adapter, "adapter_model.bin", "optimizer.pt"])).toEqual(adapter);
    expect(needed(adapter, "without weights")).toEqual(["adapter_config.json"]);
  });

  test("takes files of torch.save where there is no safetensors, and then nothing of another name", () => {
    const bins = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"];
    const index = "pytorch_model.bin.index.json";
    const others = ["training_args.bin", "optimizer.bin", "adapter_model.bin"];
    expect(needed(["config.json", "pytorch_model.bin", index, ...others])).toEqual([
      "config.json",
      "pytorch_model.bin",
    ]);
    expect(needed(["config.json", ...bins, ...others])).toEqual(["config.json", ...bins]);
    expect(needed(["config.json", index, ...bins], "without weights")).toEqual(["config.json", index]);
    expect(needed(["config.json", "pytorch_model.bin", "model.safetensors.index.json", ...shards])).toEqual([
      "config.json",
      "model.safetensors.index.json",
      ...shards,
    ]);
    const repository = repositoryOf(["config.json", index, ...bins, ...others]);
    expect(neededFiles(repository, "all", new Map([["a", bins[1]!]])).map(({ path }) => path)).toEqual([
      "config.json",
      index,
      bins[1],
    ]);
  });

  test("takes the weights of an adapter of torch.save", () => {
    const adapter = ["adapter_config.json", "adapter_model.bin"];
    expect(needed([...adapter, "training_args.bin"])).toEqual(adapter);
  });

  test("refuses pickles of other names", () => {
    expect(() => needed(["config.json", "consolidated.00.pth"])).toThrow(
      new UserError(
        `org/name@${commit} has no weights that evomerge reads; expected model.safetensors, model.safetensors.index.json ` +
          "with its shards, or the same of pytorch_model.bin, found consolidated.00.pth; " +
          "convert it with https://huggingface.co/spaces/safetensors/convert, or in Python with save_pretrained, " +
          "and give the folder instead",
      ),
    );
  });

  test("leaves an adapter beside a full model", () => {
    const adapter = ["adapter_config.json", "adapter_model.safetensors"];
    expect(needed([...adapter, "config.json", "model.safetensors"])).toEqual([
      "adapter_config.json",
      "config.json",
      "model.safetensors",
    ]);
  });

  test("takes shards without an index, of whatever name, and not those of another format", () => {
    const others = ["pytorch_model-00001-of-00001.safetensors", "consolidated-00001-of-00001.safetensors"];
    expect(needed(["config.json", ...shards, ...others])).toEqual(["config.json", ...shards]);
    expect(needed(["config.json", others[0]!])).toEqual(["config.json", others[0]]);
  });

  test("takes the files that an index names, once it has been read", () => {
    const index = "model.safetensors.index.json";
    const repository = repositoryOf(["config.json", index, "a.safetensors", "b.safetensors", "other.safetensors"]);
    const weightMap = new Map([
      ["embedding", "b.safetensors"],
      ["head", "a.safetensors"],
    ]);
    expect(neededFiles(repository, "all", weightMap).map(({ path }) => path)).toEqual([
      "config.json",
      index,
      "a.safetensors",
      "b.safetensors",
    ]);
    expect(neededFiles(repository, "without weights").map(({ path }) => path)).toEqual(["config.json", index]);
    expect(() => neededFiles(repository, "all", new Map([["head", "c.safetensors"]]))).toThrow(
      new UserError(
        `org/name@${commit}: c.safetensors: no such file, but ${index} names it; download the model in full`,
      ),
    );
  });

  test.each(["my weights.safetensors", "模型.safetensors", "m+(2).safetensors", "shards/1.safetensors"])(
    "takes what an index calls %s",
    (name) => {
      const index = "model.safetensors.index.json";
      const repository = repositoryOf([index, name]);
      expect(neededFiles(repository, "without weights").map(({ path }) => path)).toEqual([index]);
      for (const map of [undefined, new Map([["head", name]])])
        expect(neededFiles(repository, "all", map).map(({ path }) => path)).toEqual([index, name]);
    },
  );

  test("refuses two series of shards, and reads their index first where there is one", () => {
    const stale = "model-00001-of-00001.safetensors";
    expect(() => needed(["config.json", ...shards, stale])).toThrow(
      `org/name@${commit}: ${stale}: expected the shards of one model, found ${shards[0]} beside it`,
    );
    const index = "model.safetensors.index.json";
    const repository = repositoryOf([index, ...shards, stale]);
    expect(neededFiles(repository, "without weights").map(({ path }) => path)).toEqual([index]);
    const map = new Map(shards.map((shard) => [shard, shard]));
    expect(neededFiles(repository, "all", map).map(({ path }) => path)).toEqual([index, ...shards]);
  });

  test("refuses a repository without weights, or without some shard", () => {
    expect(() => needed(["README.md"])).toThrow(/has no weights that evomerge reads; expected model.safetensors, /);
    expect(() => needed(["config.json", shards[1]!])).toThrow(
      `org/name@${commit}: ${shards[0]}: no such file, but ${shards[1]} is one of 2; download the model in full`,
    );
  });

  test("refuses a file as large as weights where a small one belongs", () => {
    const repository = repositoryOf(["config.json", "model.safetensors", "README.md"]);
    const files = repository.files.map((file) => (file.path === "README.md" ? { ...file, bytes: 1e11 } : file));
    expect(() => neededFiles({ ...repository, files }, "without weights")).toThrow(
      new UserError(`org/name@${commit}: README.md: expected at most 256 MiB, found 100000000000 bytes`),
    );
  });
});
