import { describe, expect, test } from "vitest";
import { declaredDataFiles } from "../../../src/hub/transfer/dataset-card.ts";

const paths = ["README.md", "b/2.csv", "a/train-0.parquet", "a/train-1.parquet", "a/test-0.parquet", "b/1.csv"];

const declared = (configs: string): string[] =>
  declaredDataFiles(`---\nlicense: mit\n${configs}\n---\n# A dataset\n`, paths).map(
    ({ config, split, paths }) => `${config} ${split}: ${paths.join(" ")}`,
  );

describe("declaredDataFiles", () => {
  test.each([
    ["a pattern", "data_files: b/*.csv", ["x train: b/1.csv b/2.csv"]],
    ["several patterns", "data_files: [b/2.csv, b/1.csv, '*']", ["x train: b/1.csv b/2.csv"]],
    [
      "patterns by split",
      "data_files: [{ split: train, path: a/train-* }, { split: held-out, path: ['a/test-*', b/1.csv] }]",
      ["x train: a/train-0.parquet a/train-1.parquet", "x held-out: a/test-0.parquet b/1.csv"],
    ],
    ["a mapping", "data_files: { test: a/test-* }", ["x test: a/test-0.parquet"]],
    [
      "patterns without files",
      "data_files: [{ split: train, path: c/* }, { split: test, path: b/1.csv }]",
      ["x test: b/1.csv"],
    ],
  ])("reads %s", (_, files, expected) => {
    expect(declared(`configs: [{ config_name: x, ${files} }]`)).toEqual(expected);
  });

  test("names a configuration without a name default", () => {
    expect(declared("configs:\n- data_files: b/1.csv")).toEqual(["default train: b/1.csv"]);
  });

  test.each([
    ["no card", ""],
    ["a card without front matter", "# A dataset\n---\nconfigs: []\n---\n"],
    ["no configurations", "---\nlicense: mit\n---\n"],
    ["a front matter that is not YAML", "---\nconfigs: [\n---\n"],
    ["other configurations", "---\nconfigs: all of them\n---\n"],
    [
      "aliases that multiply",
      `---\na: &a [x, x, x]\nb: &b [${"*a, ".repeat(60)}]\nconfigs: [${"*b, ".repeat(60)}]\n---\n`,
    ],
  ])("finds nothing in %s", (_, card) => {
    expect(declaredDataFiles(card, paths)).toEqual([]);
  });
});
