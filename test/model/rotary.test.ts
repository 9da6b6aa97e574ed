import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { rotaryFields, rotaryPeriods } from "../../src/model/rotary.ts";

interface RotaryCase {
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly width: number;
  readonly frequencies: readonly number[];
}

const fixture = join(import.meta.dirname, "..", "fixtures", "model", "rotary.json");
const cases = JSON.parse(readFileSync(fixture, "utf8")) as RotaryCase[];
const config = z.object(rotaryFields);

describe("rotaryPeriods", () => {
  test.each(cases)("$name: the frequencies of transformers", ({ fields, width, frequencies }) => {
    const periods = rotaryPeriods(config.parse(fields), width);
    expect(periods).toHaveLength(width / 2);
    for (const [i, frequency] of frequencies.entries()) expect(periods[i]! * frequency).toBeCloseTo(1, 6);
  });
});
