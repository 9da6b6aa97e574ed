import { expect, test } from "vitest";
import { OutputReader } from "../../src/lm-eval/output-reader.ts";

test("tells the share of the requests that is done", () => {
  const shares: number[] = [];
  const reader = new OutputReader((share) => void shares.push(share));
  reader.read("Loading weights: 100%|###|\rRunning loglikelihood requests:  11%|#  | 80/720\rRunning loglikelihood ");
  reader.read("requests: 100%|###| 720/720\n");
  expect(shares).toEqual([0.11, 1]);
});

test.each([" ", "1", "1 "])("reads long lines of %j in one pass", (text) => {
  const reader = new OutputReader(() => {});
  const line = text.repeat(64 * 1024);
  for (let i = 0; i < 20; i++) reader.read(`x${line}\n`);
  expect(reader.fault).toContain("x");
});

test.each([
  ["Traceback (most recent call last):\n  File x\nKeyError: 'quiz'\n", "KeyError: 'quiz'"],
  ["a.b.SomeError: told\n  in two lines\nException ignored in: <x>\nbye\n", "a.b.SomeError: told"],
  ["lm_eval: error: unrecognized arguments: --foo\n", "lm_eval: error: unrecognized arguments: --foo"],
  ["2026-01-01 INFO [x] all is well\n", "2026-01-01 INFO [x] all is well"],
  [`ValueError: ${"x".repeat(1000)}`, `ValueError: ${"x".repeat(288)}...`],
  ["", ""],
])("finds what went wrong in %j", (text, fault) => {
  const reader = new OutputReader(() => {});
  reader.read(text);
  expect(reader.fault).toBe(fault);
});
