/** Journals with valid checksums, whatever they hold. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checksum } from "../../src/journal/record-line.ts";

export type Json = Record<string, unknown>;

const scores = { quiz: { loss: 1, accuracy: 0.5 } };
const scored = { name: "base", scores, loss: 1 };
export const model = { ...scored, recipe: { method: "passthrough", model: "base" } };
const gain = { gain: 0.1, interval: [0, 0.2], pValue: 0.01 };
export const guarded = {
  ...model,
  kind: "parent",
  intervals: { quiz: [1, 2] },
  gains: { combined: gain, tasks: { quiz: gain } },
};
export const merged = (layers: number[], rest: number): Json => ({
  ...model,
  recipe: { method: "linear", parameters: { weight: { mlp: { base: { layers, rest } } } } },
});
export const rowLosses = { offset: 0, count: 2, checksum: "00000000" };
/** A start with two genes, and a point beside it. */
export const begin = { offset: 16, count: 2, checksum: "00000000" };
export const beside = { ...begin, offset: 32 };
/** Of two candidates. */
export const points = { offset: 48, count: 4, checksum: "00000000" };
export const ranges = [
  [0, 1],
  [0, 1],
];
/** Behind those; a later record has none of an earlier one's. */
export const noLosses = { offset: 80, count: 0, checksum: "00000000" };

export const time = { models: 1, tokens: 16, passes: 1, ms: 1, waitMs: 0 };

export const tensor = `bf16 [4,2] ${"0".repeat(64)}`;

/** What a forecast expects. */
export const expectations = {
  baselinesMs: 1,
  generationMs: 1,
  finishMs: 1,
  generations: 1,
  wholeMs: 1,
  isSmall: false,
};

/** A record of every kind, in an order that a run takes. */
export const sound: readonly Json[] = [
  { type: "start", format: 7, folder: "/runs/demo", experiment: {}, identity: {}, versions: { evomerge: "0.1.0" } },
  { type: "parents", tensors: { base: { "lm_head.weight": tensor } } },
  {
    type: "forecast",
    models: [{ name: "base", scores }],
    from: { quiz: 0 },
    to: { quiz: 2 },
    rowLosses,
    firstTime: time,
    time,
    ...expectations,
    elapsedMs: 1,
  },
  {
    type: "rung",
    models: [{ name: "base", scores: {} }],
    from: { quiz: 0 },
    to: { quiz: 0 },
    rowLosses: { ...noLosses, offset: 16 },
    time,
    elapsedMs: 1,
  },
  { type: "baselines", models: [{ ...model, rows: { quiz: 2 } }], skipped: [], scales: { quiz: 1 }, elapsedMs: 1 },
  {
    type: "plan",
    algorithm: "cma-es",
    genes: ["a", "b"],
    ranges,
    start: begin,
    inject: beside,
    candidates: 2,
    rowFraction: 1,
    elapsedMs: 1,
  },
  {
    type: "ask",
    generation: 0,
    points,
    rows: { quiz: 1 },
  },
  {
    type: "result",
    generation: 0,
    losses: [1, 2],
    reference: 1,
    rowLosses: noLosses,
    work: 2,
    spent: 0.5,
    time,
    elapsedMs: 1,
  },
  { type: "finalists", models: [scored], winner: model, elapsedMs: 1 },
  { type: "part", of: "verdict", batches: 2, logLikelihoods: noLosses, time, elapsedMs: 1 },
  {
    type: "verdict",
    models: [guarded, { ...guarded, kind: "winner", gains: undefined }],
    groups: { quiz: 40 },
    weightsDigest: "00ff",
    rows: { quiz: 2 },
    outOf: { quiz: 2 },
    rowLosses: noLosses,
    time,
    elapsedMs: 1,
  },
];

/** The sound record of a kind. */
export function of(type: string): Json {
  return sound.find((record) => record["type"] === type) ?? {};
}

/** Bytes of the side file of all these records. */
export const NUMBER_BYTES = 112;

/** Behind the points of a second generation. */
const noneLater = { ...noLosses, offset: NUMBER_BYTES };

/** What a finished run takes up again with another budget. */
export const goingOn: readonly Json[] = [
  { type: "budget", budget: { seconds: 60 } },
  { ...of("plan"), rowFraction: 0.5 },
  { ...of("ask"), generation: 1, points: { ...points, offset: 80 } },
  { type: "budget", budget: { evaluations: 9 } },
  { type: "part", of: "result", batches: 2, logLikelihoods: noneLater, time, elapsedMs: 1 },
  { ...of("result"), generation: 1, rowLosses: noneLater },
  { ...of("plan"), rowFraction: 0.1 },
  of("finalists"),
  { type: "budget", budget: { evaluations: 10 } },
  { ...of("verdict"), rowLosses: noneLater },
  { type: "moved", folder: "/runs/moved", base: "../base", experts: {}, rows: { quiz: ["../a", "/b"] }, guard: {} },
];

/** Writes lines with valid checksums, whatever they hold, and a side file of so many bytes. */
export function writeJournal(folder: string, bodies: readonly string[], numberBytes = NUMBER_BYTES): void {
  const lines = bodies.map((body) => `${body.slice(0, -1)},"checksum":"${checksum(body)}"}\n`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "journal.jsonl"), lines.join(""));
  writeFileSync(join(folder, "numbers.bin"), Buffer.alloc(numberBytes));
}

export const bodyOf = (
  record: unknown,
  sequence: number,
  numberBytes: unknown = sequence === 0 ? 0 : NUMBER_BYTES,
): string => JSON.stringify({ sequence, numberBytes, record });

/** The bodies of a sound journal in which one record is another. */
export const bodiesWith = (number: number, body: string): readonly string[] =>
  sound.map((record, i) => (i === number ? body : bodyOf(record, i)));
