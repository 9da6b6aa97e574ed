import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scoreModel } from "../../src/experiment/score-model.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeRows } from "../tiny-experiment.ts";

const news = join(import.meta.dirname, "..", "..", "experiments", "demo", "news");
const fixture = join(import.meta.dirname, "..", "fixtures", "evaluate", "greedy.json");

/** Rows with lm_eval's `is_greedy` of each of their answers (test/fixtures/evaluate/make-greedy.py). */
const expected = JSON.parse(await readFile(fixture, "utf8")) as { readonly row: object; readonly greedy: boolean[] }[];

test.each(["ggml", "tfjs"] as const)(
  "samples say which answers are the greedy ones, as lm_eval does: %s",
  async (engine) => {
    const folder = await temporaryFolder();
    const [rows, samples] = [join(folder, "rows.jsonl"), join(folder, "samples.jsonl")];
    await writeRows(
      rows,
      expected.map(({ row }) => row),
    );
    const options = { model: news, rows, engine, precision: "f32" } as const;
    const { scores } = await scoreModel({ ...options, samples });
    const lines = (await readFile(samples, "utf8")).trimEnd().split("\n");
    const written = lines.map((line) => JSON.parse(line) as { filtered_resps: (readonly [string, string])[] });
    const wanted = expected.map(({ greedy }) => greedy.map((own) => (own ? "True" : "False")));
    expect(written.map(({ filtered_resps }) => filtered_resps.map(([, isGreedy]) => isGreedy))).toEqual(wanted);
    expect(new Set(wanted.flat()).size).toBe(2);
    // Nobody pays for it who does not ask, and log-likelihoods are the same to the bit.
    const plain = await scoreModel(options);
    expect(plain.scores.map(({ greedy }) => greedy)).toEqual(expected.map(() => undefined));
    expect(scores.map(({ logLikelihoods }) => logLikelihoods)).toEqual(
      plain.scores.map(({ logLikelihoods }) => logLikelihoods),
    );
  },
);
