import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ChoiceLossName, choiceLosses, choiceLossNames, rowLoss } from "../../src/tasks/row-loss.ts";

const choice = fc.integer({ min: 2, max: 6 }).chain((answers) =>
  fc.record({
    kind: fc.constant("choice" as const),
    continuations: fc.array(
      fc.string({ minLength: 1, maxLength: 30 }).map((answer) => ` ${answer}`),
      { minLength: answers, maxLength: answers },
    ),
    label: fc.nat(answers - 1),
    loss: fc.constantFrom(...choiceLossNames),
  }),
);
const text = fc.record({
  kind: fc.constant("text" as const),
  continuations: fc.tuple(fc.string({ minLength: 1, maxLength: 30, unit: "grapheme" })),
  label: fc.constant(0),
});
const logLikelihood = fc.double({ min: -40, max: 0, noNaN: true });
const scored = fc
  .oneof(choice, text)
  .chain((row) =>
    fc.tuple(
      fc.constant(row),
      fc.array(logLikelihood, { minLength: row.continuations.length, maxLength: row.continuations.length }),
    ),
  );

/** Of a choice whose first answer is right. */
function lossOf(loss: ChoiceLossName, continuations: string[], values: number[]): number {
  return rowLoss({ kind: "choice", continuations, label: 0, loss }).loss(values);
}

describe("rowLoss", () => {
  test("the derivative is that of the loss by each log-likelihood", () => {
    fc.assert(
      fc.property(scored, ([row, values]) => {
        const { loss, derivative } = rowLoss(row);
        const step = 1e-5;
        const moved = (i: number, by: number): number => loss(values.with(i, values[i]! + by));
        const differences = values.map((_, i) => (moved(i, step) - moved(i, -step)) / (2 * step));
        for (const [i, slope] of derivative(values).entries()) expect(slope).toBeCloseTo(differences[i]!, 6);
      }),
    );
  });

  test("a loss of unscaled log-likelihoods stays the same when all log-likelihoods move alike, so that its derivatives cancel", () => {
    fc.assert(
      fc.property(choice, fc.infiniteStream(logLikelihood), (row, stream) => {
        fc.pre(!choiceLosses[row.loss].isNormalised);
        const values = row.continuations.map(() => stream.next().value);
        const sum = rowLoss(row)
          .derivative(values)
          .reduce((total, slope) => total + slope, 0);
        expect(sum).toBeCloseTo(0, 12);
      }),
    );
  });

  test("answers of one length have the loss of softmax, normalised or not; of two lengths they are judged per character", () => {
    const values = [-1.5, -2.5];
    expect(lossOf("length-normalised", [" A", " B"], values)).toBe(lossOf("softmax", [" A", " B"], values));
    // Twice and six times a character: the mean is four.
    const normalised = lossOf("length-normalised", [" ab", " abcdef"], [-2, -3]);
    expect(normalised).toBeCloseTo(lossOf("softmax", [" A", " B"], [-4, -2]), 12);
  });

  test("the bounded loss is 0 where the right answer is certain, and stays below 1 / 0.7 however wrong a model is", () => {
    expect(lossOf("bounded", [" A", " B"], [0, -1000])).toBe(0);
    expect(lossOf("bounded", [" A", " B"], [-1000, 0])).toBeCloseTo(1 / 0.7, 12);
    expect(lossOf("bounded", [" A", " B"], [-1, -1])).toBeCloseTo((1 - 0.5 ** 0.7) / 0.7, 12);
  });

  test.each([NaN, -Infinity, Infinity])("%s makes loss and derivative NaN", (value) => {
    const { loss, derivative } = rowLoss({ kind: "choice", continuations: [" a", " b"], label: 0 });
    expect(loss([-1, value])).toBeNaN();
    expect(derivative([-1, value])).toEqual([NaN, NaN]);
  });
});
