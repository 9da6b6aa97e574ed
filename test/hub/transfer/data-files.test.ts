import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findDataFiles, listDataFiles } from "../../../src/hub/transfer/data-files.ts";

const listed = (paths: readonly string[]): string[] =>
  listDataFiles(paths).map(({ config, split, paths }) => `${config} ${split}: ${paths.join(" ")}`);

const shard = (i: number): string => `xsum/train-0000${i}-of-00003.parquet`;

describe("listDataFiles", () => {
  test.each([
    // The Hub's conversion.
    ["cosmos_qa/train/0000.parquet", "cosmos_qa", "train"],
    ["default/partial-train/0001.parquet", "default", "partial-train"],
    ["all/auxiliary_train/0000.parquet", "all", "auxiliary_train"],
    // push_to_hub.
    ["data/train-00000-of-00001.parquet", "default", "train"],
    ["data/train_sft-00000-of-00002.parquet", "default", "train_sft"],
    ["cosmos_qa/validation-00000-of-00001.parquet", "cosmos_qa", "validation"],
    ["all/auxiliary_train-00000-of-00001.parquet", "all", "auxiliary_train"],
    // By hand.
    ["train.csv", "default", "train"],
    ["data/test.jsonl", "default", "test"],
    ["cosmos_qa.jsonl", "cosmos_qa", "train"],
    ["data/cosmos_qa.json", "cosmos_qa", "train"],
    ["cosmos_qa_train.csv", "cosmos_qa", "train"],
    ["xsum-dev.csv", "xsum", "dev"],
    ["xsum.validation.jsonl", "xsum", "validation"],
    ["xsum_train-00000-of-00001.parquet", "xsum", "train"],
    ["xsum/rows.jsonl", "xsum", "train"],
    ["xsum/part_1.jsonl", "xsum", "train"],
    ["xsum/xsum_val.jsonl", "xsum", "val"],
    ["xsum/test/anything.jsonl", "xsum", "test"],
    ["en/xsum/train.jsonl", "en/xsum", "train"],
    ["data/en/train.jsonl", "en", "train"],
    ["train/0000.parquet", "default", "train"],
    ["xsum/0000.parquet", "xsum", "train"],
  ])("reads %s as %s %s", (path, config, split) => {
    expect(listDataFiles([path])).toEqual([{ config, split, paths: [path] }]);
  });

  test("passes over what holds no rows", () => {
    const others = ["README.md", "dataset_infos.json", "data/state.json", ".cache/x.json", "a/__x__/b.csv", "x.py"];
    expect(listDataFiles(others)).toEqual([]);
  });

  test("puts the shards of a split together, in order", () => {
    expect(listed([shard(2), shard(0), shard(1), "xsum/test-00000-of-00001.parquet"])).toEqual([
      "xsum test: xsum/test-00000-of-00001.parquet",
      `xsum train: ${shard(0)} ${shard(1)} ${shard(2)}`,
    ]);
  });

  test("takes the rows of a split once where they are there in several formats", () => {
    expect(listed(["x/train.csv", "x/train.jsonl", "x/train/0000.parquet", "x/test.csv", "x/test.json"])).toEqual([
      "x test: x/test.json",
      "x train: x/train/0000.parquet",
    ]);
  });

  test("loses and repeats no file of one format, whatever its path", () => {
    const name = fc.constantFrom("data", "train", "dev", "xsum", "a_test", "0000", "b-00000-of-00001", "rows");
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => `${parts.join("/")}.jsonl`);
    fc.assert(
      fc.property(fc.uniqueArray(path), (paths) => {
        const splits = listDataFiles(paths);
        expect(splits.flatMap(({ paths }) => paths).toSorted()).toEqual(paths.toSorted());
        expect(new Set(splits.map(({ config, split }) => `${config} ${split}`)).size).toBe(splits.length);
      }),
    );
  });
});

describe("findDataFiles", () => {
  const files = listDataFiles([
    "cosmos_qa/train/0000.parquet",
    "xsum/train/0000.parquet",
    "xsum/validation/0000.parquet",
    "xsum/val/0000.parquet",
    "XSum-dev/dev/0000.parquet",
  ]);
  const find = (config: string, split?: string): string => {
    const found = findDataFiles(files, { config, split });
    return typeof found === "string" ? found : `${found.config} ${found.split}`;
  };

  test.each([
    ["cosmos_qa", undefined, "cosmos_qa train"],
    ["cosmosqa", "train", "cosmos_qa train"],
    ["Cosmos-QA", "training", "cosmos_qa train"],
    ["xsum_dev", "validation", "XSum-dev dev"],
    ["xsum", "validation", "xsum validation"],
    ["xsum", "val", "xsum val"],
  ])("finds %s %s", (config, split, expected) => {
    expect(find(config, split)).toBe(expected);
  });

  test("says what there is where the name is of none or of several", () => {
    const configs = "'XSum-dev', 'cosmos_qa', 'xsum'";
    expect(find("cosmos")).toBe(`expected a configuration 'cosmos', found ${configs}`);
    const twins = listDataFiles(["a_b.csv", "a-b.csv"]);
    expect(findDataFiles(twins, { config: "ab" })).toBe("expected a configuration 'ab', found 'a-b', 'a_b'");
    expect(find("xsum", "dev")).toBe(
      "expected a split 'dev' of the configuration 'xsum', found 'train', 'val', 'validation'",
    );
    expect(find("xsum")).toBe(
      "the configuration 'xsum' has the splits 'train', 'val', 'validation'; name one of them as split",
    );
  });

  test("shows the names of strangers in one short line", () => {
    const many = listDataFiles(Array.from({ length: 30 }, (_, i) => `\u001B[2J${i}.csv`));
    const message = findDataFiles(many, { config: "x" });
    expect(message).toContain("and 10 more");
    expect(message).not.toContain("\u001B");
  });
});
