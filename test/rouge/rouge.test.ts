import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { porterStem } from "../../src/rouge/porter-stemmer.ts";
import { rouge, type RougeScores } from "../../src/rouge/rouge.ts";
import { cpuMs } from "../cpu-time.ts";
import { byTable } from "./by-table.ts";

const fixtures = join(import.meta.dirname, "..", "fixtures", "rouge");

/** Of each measure its f-measure, or precision, recall and f-measure. */
type Measured = readonly (readonly number[])[];

async function fixture<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(join(fixtures, name), "utf8")) as T;
}

const pairs =
  await fixture<readonly (readonly [target: string, prediction: string, plain: Measured, stemmed: Measured])[]>(
    "scores.json",
  );

function measured({ rouge1, rouge2, rougeL, rougeLsum }: RougeScores): number[][] {
  return [rouge1, rouge2, rougeL, rougeLsum].map(({ precision, recall, fmeasure }) => [precision, recall, fmeasure]);
}

function largestGap(scores: RougeScores, expected: Measured): number {
  const found = measured(scores);
  // The last numbers of three where only one is given.
  return Math.max(
    ...expected.flatMap((values, i) => values.map((value, j) => Math.abs(value - found[i]!.slice(-values.length)[j]!))),
  );
}

function differ(a: Measured, b: Measured): boolean {
  return JSON.stringify(a) !== JSON.stringify(b);
}

/** As rouge_score counts hits: of each line of the target the union over all lines of the prediction, clipped to both texts. */
function hitsByTables(target: string, prediction: string): number {
  const [wanted = [], found = []] = [target, prediction].map((text) =>
    text.split("\n").map((line): string[] => line.match(/[a-z0-9]+/g) ?? []),
  );
  const left = [wanted, found].map((side) => side.flat());
  const isLeft = (word: string): boolean => left.every((words) => words.includes(word));
  let hits = 0;
  for (const line of wanted) {
    const union = new Set(found.flatMap((other) => byTable(line, other)));
    for (const index of [...union].toSorted((a, b) => a - b)) {
      const word = line[index]!;
      if (!isLeft(word)) continue;
      for (const words of left) words.splice(words.indexOf(word), 1);
      hits += 1;
    }
  }
  return hits;
}

describe("rouge", () => {
  test("is that of rouge_score, with the stemmer and without", () => {
    expect(pairs).toHaveLength(500);
    for (const [target, prediction, plain, stemmed] of pairs) {
      expect(largestGap(rouge(target, prediction), plain)).toBeLessThan(1e-9);
      expect(largestGap(rouge(target, prediction, { stem: true }), stemmed)).toBeLessThan(1e-9);
    }
    // The pairs tell the measures apart.
    expect(pairs.filter(([, , plain, stemmed]) => differ(plain, stemmed)).length).toBeGreaterThan(60);
    expect(pairs.filter(([, , [, , l, sum]]) => differ([l!], [sum!])).length).toBeGreaterThan(50);
  });

  const texts = fc
    .array(fc.constantFrom("police", "say", "says", "nurses", "saved", "\n", "東京", "2024"), { maxLength: 12 })
    .map((words) => words.join(" "));

  const manyLines = fc
    .array(fc.constantFrom("a", "b", "c", "d", "\n", "\n"), { maxLength: 60, size: "max" })
    .map((words) => words.join(" "));

  test("of lines is that of whole tables for each pair of them", () => {
    fc.assert(
      fc.property(manyLines, manyLines, (target, prediction) => {
        const words = prediction.match(/[a-z]/g)?.length ?? 0;
        const { precision } = rouge(target, prediction).rougeLsum;
        expect(precision).toBeCloseTo(hitsByTables(target, prediction) / Math.max(words, 1), 12);
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ["one line", "w ".repeat(60_000)],
    ["many equal lines", "w w w w w x w w w w\n".repeat(6000)],
    ["many different lines", Array.from({ length: 6000 }, (_, i) => `the w${i} x${i} y${i} z${i}\n`).join("")],
  ])("of long texts takes seconds: %s", (_, text) => {
    const before = cpuMs();
    expect(rouge(text, text).rougeLsum.fmeasure).toBe(1);
    expect(cpuMs() - before).toBeLessThan(10_000);
  });

  test("of texts in each other's place swaps precision and recall, but that of lines", () => {
    fc.assert(
      fc.property(texts, texts, fc.boolean(), (a, b, stem) => {
        const [there, back] = [rouge(a, b, { stem }), rouge(b, a, { stem })];
        for (const name of ["rouge1", "rouge2", "rougeL"] as const) {
          expect(back[name]).toEqual({ ...there[name], precision: there[name].recall, recall: there[name].precision });
        }
      }),
    );
  });

  test("is whole for a text itself and nothing where there are no words", () => {
    const whole = { precision: 1, recall: 1, fmeasure: 1 };
    const none = { precision: 0, recall: 0, fmeasure: 0 };
    expect(rouge("A b c.\nD!", "a B, C d")).toMatchObject({ rouge1: whole, rouge2: whole, rougeL: whole });
    for (const [a, b] of [
      ["", ""],
      ["a b", ""],
      ["", "a b"],
      ["東京", "東京"],
    ] as const)
      expect(rouge(a, b)).toEqual({ rouge1: none, rouge2: none, rougeL: none, rougeLsum: none });
  });
});

test("the stemmer is nltk's", async () => {
  const stems = await fixture<Record<string, string>>("stems.json");
  expect(Object.keys(stems).length).toBeGreaterThan(800);
  expect(Object.fromEntries(Object.keys(stems).map((word) => [word, porterStem(word)]))).toEqual(stems);
});
