import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readRows } from "../../src/tasks/rows.ts";
import { writeSamples, type Sample } from "../../src/tasks/samples.ts";
import { scoreRow, summarise } from "../../src/tasks/score.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeRows } from "../tiny-experiment.ts";

interface LmEvalSample extends Record<string, unknown> {
  readonly doc: Record<string, unknown>;
  readonly filtered_resps: readonly (readonly [logLikelihood: string, isGreedy: string])[];
}

const fixture = join(import.meta.dirname, "..", "fixtures", "tasks", "samples.json");
const theirs = JSON.parse(await readFile(fixture, "utf8")) as Record<
  "choice" | "text",
  { readonly results: Record<string, number>; readonly samples: readonly LmEvalSample[] }
>;

/** The rows of lm_eval's samples, read from a file, with its log-likelihoods. */
async function oursOf(samples: readonly LmEvalSample[]): Promise<Sample[]> {
  const path = join(await temporaryFolder(), "rows.jsonl");
  await writeRows(
    path,
    samples.map(({ doc }) => doc),
  );
  const docs: Sample["doc"][] = [];
  const rows = await readRows(path, { onRecord: (values) => docs.push(values) });
  return rows.map((row, i) => {
    const logLikelihoods = samples[i]!.filtered_resps.map(([value]) => Number(value));
    const greedy = samples[i]!.filtered_resps.map(([, isGreedy]) => isGreedy === "True");
    return { row, doc: docs[i]!, score: { ...scoreRow(row, logLikelihoods), greedy } };
  });
}

async function written(samples: readonly Sample[]): Promise<Record<string, unknown>[]> {
  const path = join(await temporaryFolder(), "samples.jsonl");
  await writeSamples(path, samples);
  const text = await readFile(path, "utf8");
  expect(text.endsWith("\n")).toBe(true);
  return text
    .slice(0, -1)
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("samples", () => {
  test.each(["choice", "text"] as const)("are lm_eval's, but for what only it knows: %s", async (name) => {
    const lines = await written(await oursOf(theirs[name].samples));
    const expected = theirs[name].samples.map((sample, i) => ({
      ...sample,
      // Only ours has the row's loss, and only lm_eval's the hash of its record.
      loss: lines[i]!["loss"],
      doc_hash: undefined,
    }));
    expect(new Set(theirs[name].samples.flatMap((sample) => sample.filtered_resps.map((resp) => resp[1]))).size).toBe(
      2,
    );
    expect(lines).toEqual(expected);
    expect(lines.every(({ loss }) => typeof loss === "number")).toBe(true);
  });

  test("have the measures that lm_eval's results are made of", async () => {
    const [choices, texts] = [await oursOf(theirs.choice.samples), await oursOf(theirs.text.samples)].map((samples) =>
      summarise(
        samples.map(({ row }) => row),
        samples.map(({ score }) => score),
      ),
    );
    const { acc, acc_norm, acc_bytes } = theirs.choice.results;
    expect(choices).toMatchObject({ accuracy: acc, accuracyNormalised: acc_norm, accuracyByBytes: acc_bytes });
    expect(new Set([acc, acc_norm, acc_bytes]).size).toBe(3);
    expect(texts!.bitsPerByte).toBeCloseTo(theirs.text.results["bits_per_byte"]!, 12);
    expect(texts!.bytePerplexity).toBeCloseTo(theirs.text.results["byte_perplexity"]!, 12);
  });

  test("of many rows are written in pieces, in their order", async () => {
    const [sample] = await oursOf(theirs.text.samples);
    const context = "x".repeat(100_000);
    const samples = Array.from({ length: 25 }, (_, i): Sample => {
      const row = { ...sample!.row, context };
      return { ...sample!, row, score: { logLikelihoods: [-i], loss: i } };
    });
    const lines = await written(samples);
    expect(lines.map(({ doc_id, loss }) => [doc_id, loss])).toEqual(samples.map((_, i) => [i, i]));
  });

  test("say of a log-likelihood that is no number what it is", async () => {
    const [sample] = await oursOf(theirs.choice.samples);
    const score = scoreRow(sample!.row, [NaN, -Infinity, -1]);
    const [line] = await written([{ ...sample!, score }]);
    expect(line).toMatchObject({ filtered_resps: [["NaN"], ["-Infinity"], ["-1"]], acc: 0, loss: null });
  });

  test("leave nothing and replace nothing where they cannot be written whole", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "samples.jsonl");
    await writeFile(path, "earlier");
    const [sample] = await oursOf(theirs.text.samples);
    const cyclic: Record<string, unknown> = {};
    cyclic["own"] = cyclic;
    await expect(writeSamples(path, [sample!, { ...sample!, doc: cyclic }])).rejects.toThrow("circular");
    expect(await readdir(folder)).toEqual(["samples.jsonl"]);
    expect(await readFile(path, "utf8")).toBe("earlier");
  });
});
