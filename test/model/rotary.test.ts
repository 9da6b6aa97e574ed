import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { rotaryFields, rotaryOf } from "../../src/model/rotary.ts";

interface RotaryCase {
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly width: number;
  readonly frequencies: readonly number[];
  readonly factor: number;
}

const fixture = join(import.meta.dirname, "..", "fixtures", "model", "rotary.json");
const cases = JSON.parse(readFileSync(fixture, "utf8")) as RotaryCase[];
const config = z.object({ ...rotaryFields, max_position_embeddings: z.number() });

describe("rotaryOf", () => {
  test.each(cases)("$name: the frequencies and the factor of transformers", (stored) => {
    const { periods, factor } = rotaryOf(config.parse(stored.fields), stored.width);
    expect(periods).toHaveLength(stored.width / 2);
    // Several steps in f32 there.
    for (const [i, frequency] of stored.frequencies.entries())
      expect(Math.abs(periods[i]! * frequency - 1)).toBeLessThan(1e-6);
    expect(factor).toBeCloseTo(stored.factor, 12);
  });
});
