import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readRows, type TaskRow } from "../../src/tasks/rows.ts";
import { scoreRow, summarise } from "../../src/tasks/score.ts";

const fixtures = new URL("../fixtures/tasks/", import.meta.url).pathname;

function row(answers: readonly string[], label: number): TaskRow {
  const kind = answers.length > 1 ? "choice" : "text";
  return {
    id: "row",
    kind,
    context: "context",
    continuations: answers.map((answer) => ` ${answer}`),
    label,
    passage: "group",
    group: "group",
  };
}

describe("scoreRow", () => {
  test("gives lm_eval's acc and acc_norm", async () => {
    const rows = await readRows(join(fixtures, "rows/choice.jsonl"));
    const { scores } = JSON.parse(readFileSync(join(fixtures, "lm-eval.json"), "utf8")) as {
      scores: { row: number; logLikelihoods: number[]; acc: number; acc_norm: number }[];
    };
    for (const { row: index, logLikelihoods, acc, acc_norm } of scores) {
      const score = scoreRow(rows[index]!, logLikelihoods);
      expect(Number(score.correct)).toBe(acc);
      expect(Number(score.correctNormalised)).toBe(acc_norm);
    }
    expect(new Set(scores.map(({ acc, acc_norm }) => `${acc} ${acc_norm}`)).size).toBe(4);
  });

  test("a choice's loss is the negative log of its softmax probability", () => {
    const logits = [Math.log(1), Math.log(2), Math.log(5)];
    expect(scoreRow(row(["a", "b", "c"], 1), logits).loss).toBeCloseTo(Math.log(4), 12);
  });

  test("a choice's loss does not depend on the scale of the likelihoods, however small they are", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -50, max: 0, noNaN: true }), { minLength: 2, maxLength: 5 }),
        fc.double({ min: -1e5, max: 0, noNaN: true }),
        (logLikelihoods, shift) => {
          const asked = row(["a", "b", "c", "d", "e"].slice(0, logLikelihoods.length), 1);
          const { loss } = scoreRow(asked, logLikelihoods);
          expect(loss).toBeGreaterThanOrEqual(0);
          expect(
            scoreRow(
              asked,
              logLikelihoods.map((value) => value + shift),
            ).loss,
          ).toBeCloseTo(loss, 8);
        },
      ),
    );
  });

  test("the answer of a choice is the most likely, and a text has none", () => {
    expect(scoreRow(row(["a", "b", "c"], 0), [-3, -2, -2.5]).answer).toBe(1);
    expect(scoreRow(row(["a", "b"], 1), [-1, -1]).answer).toBe(0);
    expect(scoreRow(row(["a"], 0), [-1])).not.toHaveProperty("answer");
  });

  test("on a tie the first answer counts, as numpy's argmax does it", () => {
    expect(scoreRow(row(["a", "b"], 0), [-1, -1]).correct).toBe(true);
    expect(scoreRow(row(["a", "b"], 1), [-1, -1]).correct).toBe(false);
  });

  test("the normalised answer counts code points without the space", () => {
    // -3/2 < -4/3, but -3/4 > -4/3 if the two emoji counted as four UTF-16 units.
    expect(scoreRow(row(["😀😀", "abc"], 1), [-3, -4]).correctNormalised).toBe(true);
    // With the space: -2/2 = -1 against -4.4/5; without it -2/1 against -4.4/4.
    expect(scoreRow(row(["a", "abcd"], 1), [-2, -4.4]).correctNormalised).toBe(true);
    expect(scoreRow(row(["a", "abcd"], 1), [-1, -4.4]).correctNormalised).toBe(false);
  });

  test("the answer by bytes counts UTF-8 bytes without the space", () => {
    // Per character "éé" has -1.5 and "abc" -1.4, per byte -0.75 and -1.4.
    expect(scoreRow(row(["éé", "abc"], 0), [-3, -4.2])).toMatchObject({
      correctNormalised: false,
      correctByBytes: true,
    });
    // With the space: -2/2 = -1 against -4.4/5; without it -2/1 against -4.4/4.
    expect(scoreRow(row(["a", "abcd"], 0), [-2, -4.4]).correctByBytes).toBe(false);
  });

  test("a text's loss is nats per UTF-8 byte", () => {
    expect(scoreRow(row(["äb😀"], 0), [-16])).toEqual({ logLikelihoods: [-16], loss: 2 });
  });

  test.each([NaN, -Infinity, Infinity])("%d makes the loss NaN and the answer wrong", (value) => {
    expect(scoreRow(row(["a", "b"], 0), [-1, value])).toStrictEqual({
      logLikelihoods: [-1, value],
      loss: NaN,
      correct: false,
      correctNormalised: false,
      correctByBytes: false,
    });
    expect(scoreRow(row(["a"], 0), [value])).toEqual({ logLikelihoods: [value], loss: NaN });
  });

  test("refuses scores of another row", () => {
    expect(() => scoreRow(row(["a", "b"], 0), [-1])).toThrow(/2 continuations, got 1/);
  });
});

describe("summarise", () => {
  test("takes means, of accuracies for choice rows only", () => {
    const asked = row(["a", "bb"], 0);
    const scores = [scoreRow(asked, [0, -1e3]), scoreRow(asked, [-1, -1]), scoreRow(asked, [-9, -1])];
    expect(summarise([asked, asked, asked], scores)).toMatchObject({
      rows: 3,
      accuracy: 2 / 3,
      accuracyNormalised: 1 / 3,
      accuracyByBytes: 1 / 3,
    });
  });

  test("takes means of what the rows' format measures, NaN where a model failed on a row", () => {
    const measuring = (answers: readonly string[]): TaskRow => ({
      ...row(answers, 0),
      scoring: { metrics: new Map([["spread", (values) => Math.max(...values) - Math.min(...values, -1)]]) },
    });
    for (const rows of [
      [measuring(["a", "b"]), measuring(["c", "d"])],
      [measuring(["a"]), measuring(["b"])],
    ]) {
      const made = rows.map((one, i) => scoreRow(one, one.continuations.length > 1 ? [0, -2 - i] : [1 + i]));
      expect(summarise(rows, made).metrics).toEqual({ spread: 2.5 });
      const failed = scoreRow(
        rows[1]!,
        rows[1]!.continuations.map(() => -Infinity),
      );
      expect(summarise(rows, [made[0]!, failed]).metrics).toEqual({ spread: NaN });
    }
    expect(summarise([row(["a"], 0)], [scoreRow(row(["a"], 0), [-1])])).not.toHaveProperty("metrics");
  });

  test("of texts takes bits and perplexity over all bytes of their targets", () => {
    const rows = [row(["é"], 0), row(["abcd"], 0)];
    const summary = summarise(rows, [scoreRow(rows[0]!, [-3]), scoreRow(rows[1]!, [-7])]);
    expect(summary).toEqual({
      rows: 2,
      loss: (3 / 3 + 7 / 5) / 2,
      bitsPerByte: expect.closeTo(10 / 8 / Math.LN2, 12),
      bytePerplexity: expect.closeTo(Math.exp(10 / 8), 12),
    });
  });
});
