import { describe, expect, test } from "vitest";
import type { Selection } from "../../../src/evaluate/evaluator.ts";
import type { FrontMember } from "../../../src/journal/records.ts";
import { type ComparedRows, thinned } from "../../../src/run/finish/thin-front.ts";

/** Losses around a mean whose standard error is 0.1 where each of the four rows is a group of its own. */
const around = (mean: number): number[] => [-1, -1, 1, 1].map((sign) => mean + sign * 0.1 * Math.sqrt(3));

function rowsOf(groups: readonly string[]): Selection {
  const rows = groups.map((group, i) => ({ id: `${i}`, group }));
  return { quiz: rows, news: rows } as unknown as Selection;
}

const apart = rowsOf(["a", "b", "c", "d"]);

function member(of: string, quiz: number, news: number): FrontMember {
  return { of, scores: { quiz: { loss: quiz }, news: { loss: news } }, loss: quiz + news };
}

function compared(front: readonly FrontMember[], rows = apart): ComparedRows {
  const evaluations = front.map(({ of, scores }) => {
    const losses = (task: string): object[] => around(scores[task]!.loss).map((loss) => ({ loss }));
    return [of, { scores: { quiz: losses("quiz"), news: losses("news") } }] as const;
  });
  return { rows, evaluated: new Map(evaluations) as unknown as ComparedRows["evaluated"], baseline: () => new Map() };
}

/** What is left, and for how many each stands. */
function left(front: readonly FrontMember[], given = compared(front)): unknown[] {
  return thinned(front, given).map(({ of, alike }) => (alike ? [of, ...alike] : of));
}

describe("a front is thinned", () => {
  const ends = [member("quiz", 0, 5), member("news", 5, 0)] as const;

  test("to members of which no other is within 1.96 standard errors on every task", () => {
    const near = [member("best", 1, 1), member("near", 1.19, 0.82), member("far", 1.2, 0.85)] as const;
    expect(left([ends[0], ...near, ends[1]])).toEqual(["quiz", ["best", "near"], "far", "news"]);
    const between = [member("best", 1, 1), member("one", 1.4, 0.7), member("two", 1.5, 0.65)] as const;
    expect(left([ends[0], ...between, ends[1]])).toEqual(["quiz", "best", ["one", "two"], "news"]);
  });

  test("but never by what is best on a task or combined", () => {
    const all = [
      member("a", 1, 1.1),
      member("b", 1.04, 1.05),
      member("c", 1.05, 1.03),
      member("d", 1.1, 1.02),
    ] as const;
    expect(left(all)).toEqual(["a", ["c", "b"], "d"]);
  });

  test("by groups of rows: equal rows of one group tell as little as one", () => {
    const near = [ends[0], member("best", 1, 1), member("far", 1.3, 0.75), ends[1]] as const;
    expect(left(near)).toEqual(["quiz", "best", "far", "news"]);
    expect(left(near, compared(near, rowsOf(["a", "a", "b", "b"])))).toEqual(["quiz", ["best", "far"], "news"]);
  });

  test("by the losses of baselines on the same rows, and by nothing that is not known", () => {
    const near = [ends[0], member("best", 1, 1), member("near", 1.1, 0.95), ends[1]] as const;
    const { evaluated, ...others } = compared(near);
    const known = new Map([...evaluated].filter(([of]) => of !== "best"));
    expect(left(near, { ...others, evaluated: known })).toEqual(["quiz", "best", "near", "news"]);
    const losses = new Map(around(1).map((loss, i) => [`${i}`, loss]));
    const baseline = (): ReturnType<ComparedRows["baseline"]> =>
      new Map([
        ["quiz", losses],
        ["news", losses],
      ]);
    expect(left(near, { ...others, evaluated: known, baseline })).toEqual(["quiz", ["best", "near"], "news"]);
  });
});
