import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { logProbabilities } from "../../src/experiment/log-probabilities.ts";
import type { TokenIds } from "../../src/experiment/token-ids.ts";
import { expectedLogProbabilities as expected } from "./expected-log-probabilities.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeTinyModel } from "../tiny-model.ts";

const fixtures = join(import.meta.dirname, "..", "fixtures", "model");

function largestGap(found: readonly number[], reference: readonly number[]): number {
  expect(found).toHaveLength(reference.length);
  return Math.max(...found.map((value, i) => Math.abs(value - reference[i]!)));
}

/** Makes logits infinite, though every weight is finite. */
function makeHuge(name: string, values: Float32Array): void {
  if (name === "lm_head.weight" || name === "model.norm.weight") values.fill(3e38);
}

describe("logProbabilities", () => {
  const engines = ["ggml", "tfjs"] as const;
  test.each(engines.flatMap((engine) => Object.keys(expected).map((name) => ({ engine, name }))))(
    "gives those of transformers for every token: $name on $engine",
    async ({ engine, name }) => {
      for (const { ids, logProbabilities: reference } of expected[name]!) {
        const found = await logProbabilities({ folder: join(fixtures, name), ids, engine });
        expect(largestGap(found, reference)).toBeLessThan(1e-4);
      }
    },
  );

  test("computes in f32 unless told otherwise", async () => {
    const folder = join(fixtures, "llama-tied");
    const { ids, logProbabilities: reference } = expected["llama-tied"]!.at(-1)!;
    const rounded = await logProbabilities({ folder, ids, precision: "bf16" });
    expect(largestGap(rounded, reference)).toBeGreaterThan(1e-3);
    expect(largestGap(rounded, reference)).toBeLessThan(0.5);
    expect(await logProbabilities({ folder, ids, precision: "f32" })).toEqual(await logProbabilities({ folder, ids }));
  });

  test.each<[unknown, string]>([
    [[], "ids: expected at least two, found 0; each is predicted from those before it"],
    [[7], "ids: expected at least two, found 1; each is predicted from those before it"],
    [Array(257).fill(1), "ids: expected at most 256, the positions of this model, found 257"],
    ...[
      [61, "61"],
      [-1, "-1"],
      [1.5, "1.5"],
      [NaN, "NaN"],
      ["3", "'3'"],
      [null, "null"],
      [[1, 2], "a list"],
    ].map(([id, found]): [unknown, string] => [
      [1, id, 2],
      `ids: number 2: expected a whole number from 0 to 60, one of this model's embeddings, found ${String(found)}`,
    ]),
    [null, "ids: expected a list, such as [1, 2, 3], found null"],
    ["1, 2", "ids: expected a list, such as [1, 2, 3], found '1, 2'"],
    [{ ids: [1, 2] }, "ids: expected a list, such as [1, 2, 3], found [Object]"],
    [
      { encoder: [1, 2], decoder: [0, 3] },
      "ids: expected one list, such as [1, 2, 3], since this model is causal; found lists for an encoder and a decoder",
    ],
  ])("refuses %j", async (ids, message) => {
    const folder = join(fixtures, "llama-untied");
    await expect(logProbabilities({ folder, ids: ids as TokenIds, engine: "ggml" })).rejects.toThrow(message);
  });

  test.each<[unknown, string]>([
    [
      [1, 2, 3],
      'ids: expected lists for the encoder and the decoder, such as {"encoder": [5, 6, 1], "decoder": [0, 7, 8]}, since this model has both, found a list',
    ],
    [
      { encoder: [1], decoder: [0] },
      "ids of the decoder: expected at least two, found 1; each is predicted from those",
    ],
    [{ encoder: [], decoder: [0, 3] }, "ids of the encoder: expected at least one, found none"],
    [
      { decoder: [0, 3] },
      'ids: expected lists for the encoder and the decoder, such as {"encoder": [5, 6, 1], "decoder": [0, 7, 8]}, found no "encoder"',
    ],
    [{ encoder: [0, 3], decoder: undefined }, 'found no "decoder"'],
    [{ encoder: [1, 61], decoder: [0, 3] }, "ids of the encoder: number 2: expected a whole number from 0 to 60"],
    [{ encoder: [1], decoder: [0, -1] }, "ids of the decoder: number 2: expected a whole number from 0 to 60"],
    [{ encoder: [1], decoder: [0, 3], labels: [3] }, "ids: expected encoder and decoder alone, found 'labels' too"],
  ])("refuses %j of an encoder-decoder", async (ids, message) => {
    const folder = join(fixtures, "t5");
    await expect(logProbabilities({ folder, ids: ids as TokenIds, engine: "ggml" })).rejects.toThrow(message);
  });

  test("has no end of positions where they are relative", async () => {
    const ids = { encoder: Array(530).fill(4) as number[], decoder: Array(520).fill(5) as number[] };
    const found = await logProbabilities({ folder: join(fixtures, "t5"), ids, engine: "ggml" });
    expect(found).toHaveLength(519);
    expect(found.every(Number.isFinite)).toBe(true);
  });

  test("takes every position and every embedding of the model", async () => {
    const ids = [60, ...Array<number>(254).fill(0), 60];
    const found = await logProbabilities({ folder: join(fixtures, "llama-untied"), ids, engine: "ggml" });
    expect(found).toHaveLength(255);
  });

  test("says which id has no log-probability", async () => {
    const folder = await writeTinyModel(await temporaryFolder(), { dtype: "f32", edit: makeHuge });
    await expect(logProbabilities({ folder, ids: [1, 2, 3], engine: "ggml" })).rejects.toThrow(
      /: the log-probability of id 2 of 3 is not finite \(NaN\); check the weights$/,
    );
  });

  test("stops at a signal", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    const folder = join(fixtures, "llama-untied");
    await expect(logProbabilities({ folder, ids: [1, 2], engine: "ggml", signal })).rejects.toThrow("enough");
  });
});
