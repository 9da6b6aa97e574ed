import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { isJsonObject, type JsonObject } from "../files/json-object.ts";
import { parseJson } from "../files/json.ts";
import { readFileWithin, readTextWithin } from "../files/read-file.ts";
import { showUntrusted } from "../files/show-untrusted.ts";
import { UserError } from "../errors.ts";

/** Whether each document of a task was answered right, in the order of the documents. */
export interface RowOutcomes {
  /** sha256 over the hashes of the documents: equal only for the same documents in the same order. */
  readonly documents: string;
  readonly acc: readonly number[];
}

/** What lm_eval has written. */
export interface LmEvalOutput {
  /** Its results file, whole. */
  readonly results: LmEvalResults;
  /** By task without subtasks; tasks that report no acc are left out. */
  readonly rows: Readonly<Record<string, RowOutcomes>>;
}

/** The parts of a results file that are read; the rest is kept as it is. */
export type LmEvalResults = z.output<typeof resultsSchema>;

/** Versions 0.4.x; what only some of them write is optional, and of no consequence when it has another form. */
export const resultsSchema = z.looseObject({
  /** Values by task or group, then by `metric,filter`. */
  results: z.record(z.string(), z.record(z.string(), z.unknown())),
  /** Direct subtasks of every group; a task is in it with an empty list, or not at all. */
  group_subtasks: z.record(z.string(), z.array(z.string())).catch({}),
  "n-samples": z.record(z.string(), z.looseObject({ effective: z.number() })).catch({}),
  lm_eval_version: z.string().optional().catch(undefined),
});

/** Of all tasks of one evaluation; samples hold every request and answer of one task. */
const RESULTS = { what: "the results of lm_eval", maxBytes: 2 ** 26 };
const SAMPLES = { what: "samples of lm_eval", maxBytes: 2 ** 30 };

const sampleSchema = z.looseObject({
  doc_id: z.number(),
  doc_hash: z.string().default(""),
  acc: z
    .union([z.number(), z.boolean().transform(Number)])
    .optional()
    .catch(undefined),
});

/** Reads what lm_eval wrote below `--output_path`; a UserError where there are no results or they have another form. */
export async function readLmEvalOutput(output: string): Promise<LmEvalOutput> {
  const names = existsSync(output) ? await readdir(output, { recursive: true }) : [];
  const files = names.map((name) => join(output, name));
  const path = files
    .filter((name) => /[/\\]results_[^/\\]*\.json$/.test(name))
    .toSorted()
    .at(-1);
  if (path === undefined) throw new UserError(`${output}: lm_eval ended without writing results_*.json there`);
  const written = parsePythonJson(await readTextWithin(path, RESULTS), path);
  refuseNames(written, path);
  const parsed = resultsSchema.safeParse(written);
  if (!parsed.success) {
    throw new UserError(`${path}: expected the results of lm_eval 0.4; ${z.prettifyError(parsed.error)}`);
  }
  const rows: Record<string, RowOutcomes> = {};
  for (const task of Object.keys(parsed.data.results)) {
    const samples = files.find((name) => dirname(name) === dirname(path) && isSamplesOf(task, name));
    const outcomes = samples === undefined ? undefined : await readSamples(samples);
    if (outcomes) rows[task] = outcomes;
  }
  return { results: parsed.data, rows };
}

/** Refuses names of tasks that every object of JavaScript has, one of which zod leaves out without a word. */
function refuseNames({ results, group_subtasks: groups }: JsonObject, path: string): void {
  const parts = isJsonObject(groups) ? [...Object.keys(groups), ...Object.values(groups).flat()] : [];
  const names = [...(isJsonObject(results) ? Object.keys(results) : []), ...parts];
  const name = names.find((name) => typeof name === "string" && name in {});
  if (name !== undefined) throw new UserError(`${path}: a task cannot be named ${showUntrusted(name)} here; rename it`);
}

/** Named `samples_<task>_<date>.jsonl`; the date begins with the year, so that no task's name is taken for a longer one's. */
function isSamplesOf(task: string, path: string): boolean {
  const name = path.split(/[/\\]/).at(-1) ?? "";
  return name.startsWith(`samples_${task}_`) && /^\d{4}-\d\d-\d\dT[^/\\]*\.jsonl$/.test(name.slice(task.length + 9));
}

/** Undefined for a task without acc. A task with several filters has a line for each; the first is taken. */
async function readSamples(path: string): Promise<RowOutcomes | undefined> {
  const byDocument = new Map<number, { readonly hash: string; readonly acc: number }>();
  for (const line of linesOf(await readFileWithin(path, SAMPLES))) {
    if (line === "") continue;
    const parsed = sampleSchema.safeParse(parsePythonJson(line, path));
    if (!parsed.success) throw new UserError(`${path}: expected a sample of lm_eval, found ${showUntrusted(line)}`);
    const { doc_id: document, doc_hash: hash, acc } = parsed.data;
    if (acc === undefined) return undefined;
    if (!byDocument.has(document)) byDocument.set(document, { hash, acc });
  }
  const ordered = [...byDocument].toSorted(([a], [b]) => a - b);
  const documents = createHash("sha256");
  for (const [document, { hash }] of ordered) documents.update(`${document} ${hash}\n`);
  return { documents: documents.digest("hex"), acc: ordered.map(([, { acc }]) => acc) };
}

/** Split here, since node:readline also breaks lines at U+2028, which texts may have; all in one may be no string. */
function* linesOf(bytes: Buffer): Generator<string> {
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf("\n", start);
    const end = found < 0 ? bytes.length : found;
    yield bytes.toString("utf8", start, end);
    start = end + 1;
  }
}

/** Python writes NaN and infinities, which JSON lacks; they become null. */
function parsePythonJson(text: string, path: string): JsonObject {
  // Looked behind only where a number ends: looking behind each character of a run of white space takes its square.
  const beyondJson = /(?:NaN|-?Infinity)(?<=[:[,]\s*(?:NaN|-?Infinity))(?=\s*[,\]}])/g;
  const value = parse(text, path) ?? parse(text.replaceAll(beyondJson, "null"), path);
  if (isJsonObject(value)) return value;
  throw new UserError(`${path}: expected a JSON object of lm_eval, found ${showUntrusted(text)}`);
}

function parse(json: string, path: string): unknown {
  try {
    return parseJson(json, path, "JSON of lm_eval");
  } catch {
    return undefined;
  }
}
