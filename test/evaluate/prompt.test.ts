import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import type { Prompt } from "../../src/evaluate/pack.ts";
import { inRowOrder, promptsOf, type TokenLimits } from "../../src/evaluate/prompt.ts";
import { everyLength } from "../../src/model/architecture.ts";
import { TokenEncoder } from "../../src/model/tokenizer/token-encoder.ts";
import { readTokenizerFiles } from "../../src/model/tokenizer/tokenizer-file.ts";
import type { TaskRow } from "../../src/tasks/rows.ts";

const tokenizers = join(import.meta.dirname, "..", "fixtures", "tasks", "tokenizers");
const tokenizer = new TokenEncoder(await readTokenizerFiles(join(tokenizers, "byte-level-bos")));

const roomy: TokenLimits = { maxLength: 100, vocabularySize: tokenizer.range.size, spans: everyLength };

function rowOf(context: string, ...continuations: string[]): TaskRow {
  return { id: "row-1", kind: "choice", context, continuations, label: 0, passage: "", group: "" };
}

function promptFor(row: TaskRow, limits: TokenLimits): Prompt {
  const [prompt, ...more] = promptsOf(row, tokenizer.encodeRow(row), limits).prompts;
  expect(more).toEqual([]);
  return prompt!;
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

describe("promptsOf", () => {
  test("divides a row whose sequences are in several spans of the model's lengths", () => {
    const [context, continuations] = [new Int32Array(5), [3, 1, 2, 4].map((length) => new Int32Array(length))];
    const limits: TokenLimits = { ...roomy, spans: { short: [0, 6], long: [6, Infinity] } };
    const divided = promptsOf(rowOf("x", "a", "b", "c", "d"), { context, continuations }, limits);
    expect(divided.continuations).toEqual([
      [0, 3],
      [1, 2],
    ]);
    expect(divided.isCut).toBe(false);
  });

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

  test("keeps the last maxLength + 1 tokens of context and each continuation, as lm_eval does", () => {
    fc.assert(
      fc.property(row, fc.nat(20), (row, room) => {
        const pairs = pairsOf(row);
        const maxLength = Math.max(...pairs.map(({ continuation }) => continuation.length)) + room;
        const { prompts, continuations, isCut } = promptsOf(row, tokenizer.encodeRow(row), { ...roomy, maxLength });
        const kept = prompts.flatMap(({ context, continuations: own }, i) =>
          own.map((ids, j) => [continuations[i]![j]!, [...context, ...ids]] as const),
        );
        const whole = pairs.map(({ context, continuation }) => [...context, ...continuation]);
        expect(kept.toSorted(([a], [b]) => a - b)).toEqual(whole.map((ids, i) => [i, ids.slice(-(maxLength + 1))]));
        expect(isCut).toBe(whole.some(({ length }) => length > maxLength + 1));
      }),
    );
  });

  test("shares a context among the continuations that it is cut alike for", () => {
    const row = rowOf("the fox and the fox and the fox", " a", " in the forest", " a", " in the desert");
    const { prompts, continuations } = promptsOf(row, tokenizer.encodeRow(row), { ...roomy, maxLength: 12 });
    expect(continuations[0]).toEqual([0, 2]);
    expect(prompts[0]!.continuations).toHaveLength(2);
    const values = continuations.map((members) => members.map((member) => 10 * member));
    expect(inRowOrder({ continuations }, values)).toEqual([0, 10, 20, 30]);
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
