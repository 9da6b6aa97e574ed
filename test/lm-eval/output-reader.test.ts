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
  expect(reader.lastWords()).toContain("x");
});
