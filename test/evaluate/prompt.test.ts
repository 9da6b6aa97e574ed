import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import type { Prompt } from "../../src/evaluate/pack.ts";
import { promptOf, type TokenLimits } from "../../src/evaluate/prompt.ts";
import { TokenEncoder } from "../../src/model/tokenizer/token-encoder.ts";
import { readTokenizerFiles } from "../../src/model/tokenizer/tokenizer-file.ts";
import type { TaskRow } from "../../src/tasks/rows.ts";

const tokenizers = join(import.meta.dirname, "..", "fixtures", "tasks", "tokenizers");
const tokenizer = new TokenEncoder(await readTokenizerFiles(join(tokenizers, "byte-level-bos")));

const roomy = { maxLength: 100, vocabularySize: tokenizer.range.size };

function rowOf(context: string, ...continuations: string[]): TaskRow {
  return { id: "row-1", kind: "choice", context, continuations, label: 0, passage: "", group: "" };
}

function promptFor(row: TaskRow, limits: TokenLimits): Prompt {
  return promptOf(row, tokenizer.encodeRow(row), limits);
}

/** Context and continuation of every pair, as lm_eval encodes them. */
function pairsOf({ context, continuations }: TaskRow): { context: number[]; continuation: number[] }[] {
  return continuations.map((continuation) => {
    const pair = tokenizer.encodePair(context, continuation);
    return { context: [...pair.context], continuation: [...pair.continuation] };
  });
}

const text = fc.string({ unit: fc.constantFrom("a", "the", " ", "fox", ".", "ä"), minLength: 1, maxLength: 12 });
const row = fc
  .record({ context: text, answers: fc.array(text, { minLength: 1, maxLength: 3 }) })
  .map(({ context, answers }) => rowOf(context, ...answers.map((answer) => ` ${answer}`)));

describe("promptOf", () => {
  test("keeps a context that leaves room for every continuation", () => {
    fc.assert(
      fc.property(row, (row) => {
        const pairs = pairsOf(row);
        const prompt = promptFor(row, roomy);
        expect([...prompt.context]).toEqual(pairs[0]!.context);
        expect(prompt.continuations.map((ids) => [...ids])).toEqual(pairs.map(({ continuation }) => continuation));
      }),
    );
  });

  test("keeps the last maxLength + 1 tokens of context and longest continuation, as lm_eval does", () => {
    fc.assert(
      fc.property(row, fc.nat(20), (row, room) => {
        const pairs = pairsOf(row);
        const longest = pairs.reduce((a, b) => (b.continuation.length > a.continuation.length ? b : a));
        const maxLength = longest.continuation.length + room;
        const prompt = promptFor(row, { ...roomy, maxLength });
        expect([...prompt.context, ...longest.continuation]).toEqual(
          [...longest.context, ...longest.continuation].slice(-(maxLength + 1)),
        );
        expect(prompt.continuations.map((ids) => [...ids])).toEqual(pairs.map(({ continuation }) => continuation));
      }),
    );
  });

  test("keeps one token of context at the least", () => {
    const row = rowOf("the fox", " eats");
    const length = pairsOf(row)[0]!.continuation.length;
    expect(promptFor(row, { ...roomy, maxLength: length }).context).toHaveLength(1);
    expect(() => promptFor(row, { ...roomy, maxLength: length - 1 })).toThrow(
      new UserError(`row "the fox": its answers take more than the model's ${length - 1} positions; remove the row`),
    );
  });

  test("refuses an answer without tokens", () => {
    expect(() => promptFor(rowOf("the fox", " eats", ""), roomy)).toThrow(
      new UserError('row "the fox": expected at least one token of context and of each answer; change the row'),
    );
  });

  test("refuses a token that the model has no embedding for", () => {
    const row = rowOf("the fox", " eats");
    const largest = Math.max(...pairsOf(row).flatMap(({ context, continuation }) => [...context, ...continuation]));
    expect(() => promptFor(row, { ...roomy, vocabularySize: largest + 1 })).not.toThrow();
    expect(() => promptFor(row, { ...roomy, vocabularySize: largest })).toThrow(
      new UserError(
        `row "the fox": its token ${largest} is not among the model's ${largest} embeddings; the tokenizer is another model's`,
      ),
    );
  });
});
