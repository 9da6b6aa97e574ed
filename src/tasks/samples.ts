/** What a model made of each row, as lm_eval's `--log_samples` writes it. */
import { existsSync } from "node:fs";
import { StagedFile } from "../files/atomic-file.ts";
import { readBeginning } from "../files/read-file.ts";
import { sha256Of } from "../files/sha256.ts";
import type { RowRecord } from "./row-record.ts";
import type { TaskRow } from "./rows.ts";
import { textWeight, type RowScore } from "./score.ts";

/** A row, what its file has of it, and its score. */
export interface Sample {
  readonly row: TaskRow;
  readonly doc: RowRecord["values"];
  readonly score: RowScore;
}

/** Characters that are written at once. */
const PIECE = 2 ** 20;

/** What such a file begins with. */
const BEGINNING = '{"doc_id":';

/** Whether a file may take this place: nothing is there, or samples, or nothing in it. */
export async function hasRoomForSamples(path: string): Promise<boolean> {
  if (!existsSync(path)) return true;
  const found = await readBeginning(path, { what: "samples", maxBytes: BEGINNING.length });
  return found.length === 0 || found.toString("latin1") === BEGINNING;
}

/** Writes JSON lines, one for each sample, in pieces; the file appears whole or not at all. */
export async function writeSamples(path: string, samples: readonly Sample[]): Promise<void> {
  let bytes = 0;
  for (const piece of pieces(samples)) bytes += Buffer.byteLength(piece);
  await using file = await StagedFile.create(path, bytes);
  for (const piece of pieces(samples)) await file.append(piece);
  await file.close();
  await file.publish();
}

function* pieces(samples: readonly Sample[]): Generator<string> {
  let piece = "";
  for (const [index, sample] of samples.entries()) {
    piece += `${JSON.stringify(sampleLine(index, sample))}\n`;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = "";
  }
  yield piece;
}

/**
 * The names and forms are lm_eval's where the meaning is, numbers and truth values as text among them; its `doc_hash` is of the
 * row with every column.
 */
function sampleLine(index: number, { row, doc, score }: Sample): Readonly<Record<string, unknown>> {
  const { kind, context, continuations, label } = row;
  const target = kind === "choice" ? String(label) : (continuations[label] ?? "");
  const responses = score.logLikelihoods.map((value, i) => {
    const isGreedy = score.greedy?.[i];
    return isGreedy === undefined ? [String(value)] : [String(value), isGreedy ? "True" : "False"];
  });
  const metrics = kind === "choice" ? choiceMetrics(score) : textMetrics(row, score);
  return {
    doc_id: index,
    doc,
    target,
    arguments: Object.fromEntries(
      continuations.map((continuation, i) => [`gen_args_${i}`, { arg_0: context, arg_1: continuation }]),
    ),
    resps: responses.map((response) => [response]),
    filtered_resps: responses,
    filter: "none",
    metrics: Object.keys(metrics),
    prompt_hash: sha256Of(context),
    target_hash: sha256Of(target),
    ...metrics,
    loss: score.loss,
  };
}

function choiceMetrics({ correct, correctNormalised, correctByBytes }: RowScore): Readonly<Record<string, number>> {
  return { acc: Number(correct), acc_norm: Number(correctNormalised), acc_bytes: Number(correctByBytes) };
}

/** What lm_eval keeps of each row until it is aggregated. */
function textMetrics(row: TaskRow, score: RowScore): Readonly<Record<string, readonly number[]>> {
  const weight = textWeight(row, score.logLikelihoods);
  return { byte_perplexity: weight, bits_per_byte: weight };
}
