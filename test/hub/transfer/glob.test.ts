import { describe, expect, test } from "vitest";
import { cpuMs } from "../../cpu-time.ts";
import { matchesGlob } from "../../../src/hub/transfer/glob.ts";

describe("matchesGlob", () => {
  test.each([
    ["train.csv", "train.csv"],
    ["./train.csv", "train.csv"],
    ["data/train-*", "data/train-00000-of-00001.parquet"],
    ["*/train-*-of-*.parquet", "data/train-00000-of-00001.parquet"],
    ["a*a*b", "aabab"],
    ["train?.csv", "train1.csv"],
    ["**", "a/b/c.csv"],
    ["data/**", "data/a/b.csv"],
    ["**/*.csv", "train.csv"],
    ["**/*.csv", "a/b/train.csv"],
    ["a/**/b/**/c.csv", "a/x/b/b/y/z/c.csv"],
    ["**train*", "en_train.csv"],
  ])("%s matches %s", (pattern, path) => {
    expect(matchesGlob(pattern, path)).toBe(true);
  });

  test.each([
    ["train", "train.csv"],
    ["*.csv", "data/train.csv"],
    ["data/*", "data/a/b.csv"],
    ["train?.csv", "train.csv"],
    ["a*b*b", "ab"],
    ["aa*aa", "aaa"],
    ["a/**/b/**/c.csv", "a/x/c.csv"],
    ["a.csv", "abcsv"],
    ["", "a"],
    ["data/**", "database/a.csv"],
  ])("%s does not match %s", (pattern, path) => {
    expect(matchesGlob(pattern, path)).toBe(false);
  });

  test("takes no longer for many wildcards", () => {
    const start = cpuMs();
    expect(matchesGlob(`${"*a".repeat(200)}b`, "a".repeat(4000))).toBe(false);
    expect(matchesGlob(`${"**/a/".repeat(200)}b`, "a/".repeat(2000))).toBe(false);
    expect(cpuMs() - start).toBeLessThan(1000);
  });
});
