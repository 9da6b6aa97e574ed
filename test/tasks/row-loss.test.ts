import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rowLoss } from "../../src/tasks/row-loss.ts";

const choice = fc.integer({ min: 2, max: 6 }).chain((answers) =>
  fc.record({
    kind: fc.constant("choice" as const),
    continuations: fc.array(
      fc.string({ minLength: 1, maxLength: 30 }).map((answer) => ` ${answer}`),
      { minLength: answers, maxLength: answers },
    ),
    label: fc.nat(answers - 1),
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

  test("a choice's loss stays the same when all log-likelihoods move alike, so that its derivatives cancel", () => {
    fc.assert(
      fc.property(choice, fc.infiniteStream(logLikelihood), (row, stream) => {
        const values = row.continuations.map(() => stream.next().value);
        const sum = rowLoss(row)
          .derivative(values)
          .reduce((total, slope) => total + slope, 0);
        expect(sum).toBeCloseTo(0, 12);
      }),
    );
  });

  test.each([NaN, -Infinity, Infinity])("%s makes loss and derivative NaN", (value) => {
    const { loss, derivative } = rowLoss({ kind: "choice", continuations: [" a", " b"], label: 0 });
    expect(loss([-1, value])).toBeNaN();
    expect(derivative([-1, value])).toEqual([NaN, NaN]);
  });
});
