/**
 * Tokenises rows with a tokenizer of every kind: `npx tsx bench/tokenizers.ts <rows ...>`. The vocabularies are those of
 * test/fixtures/model/token-ids.json, which are small, so that a row has more tokens than with a real one. Each row is encoded as
 * for scoring, its context and each continuation behind it.
 * @module
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { TokenEncoder } from "../src/model/tokenizer/token-encoder.ts";
import type { TokenizerFiles } from "../src/model/tokenizer/tokenizer-file.ts";
import { readRows } from "../src/tasks/rows.ts";
import { machine } from "./machine.ts";

const REPETITIONS = 5;

const fixture = join(import.meta.dirname, "..", "test", "fixtures", "model", "token-ids.json");
const { models, folders } = JSON.parse(await readFile(fixture, "utf8")) as {
  readonly models: Readonly<Record<string, unknown>>;
  readonly folders: Readonly<Record<string, Readonly<Record<string, { readonly model: string }>>>>;
};

const rows = (await Promise.all(process.argv.slice(2).map((path) => readRows(path)))).flat();
const characters = rows.reduce(
  (sum, { context, continuations }) =>
    sum + continuations.reduce((own, { length }) => own + context.length + length, 0),
  0,
);
console.log(machine());
console.log(
  `${rows.length} rows, ${characters} characters with the context once for each continuation; medians of ${REPETITIONS}`,
);
console.log("| kind | tokens | CPU s | thousand tokens/CPU-s |\n| --- | --- | --- | --- |");
for (const [kind, { "tokenizer.json": file, "tokenizer_config.json": config, "config.json": model }] of Object.entries(
  folders,
)) {
  const files = { file: { ...file, model: models[file?.model ?? ""] }, config, model };
  const encoder = new TokenEncoder(files as unknown as TokenizerFiles);
  let tokens = 0;
  const seconds = Array.from({ length: REPETITIONS }, () => {
    const before = process.cpuUsage();
    const encoded = rows.map((row) => encoder.encodeRow(row));
    const { user, system } = process.cpuUsage(before);
    tokens = encoded.reduce(
      (sum, { context, continuations }) =>
        continuations.reduce((own, { length }) => own + length, sum + context.length),
      0,
    );
    return (user + system) / 1e6;
  });
  const median = seconds.toSorted((a, b) => a - b)[Math.floor(REPETITIONS / 2)] ?? NaN;
  console.log(`| ${kind} | ${tokens} | ${median.toFixed(2)} | ${(tokens / median / 1000).toFixed(0)} |`);
}
