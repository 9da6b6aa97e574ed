import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fromFloat32, toFloat32 } from "../../src/tensor/half.ts";

const allPatterns: Uint16Array<ArrayBuffer> = Uint16Array.from({ length: 0x1_0000 }, (_, i) => i);

const formats = [
  { dtype: "f16", mantissaBits: 10, bias: 15, infinity: 0x7c00 },
  { dtype: "bf16", mantissaBits: 7, bias: 127, infinity: 0x7f80 },
] as const;

describe.each(formats)("$dtype", ({ dtype, mantissaBits, bias, infinity }) => {
  const widened = toFloat32(new Uint8Array(allPatterns.buffer), dtype);

  test("widens all 65536 patterns to the value that IEEE 754 gives them", () => {
    const expected = Float32Array.from(allPatterns, (pattern) => {
      const sign = pattern & 0x8000 ? -1 : 1;
      const exponent = (pattern & 0x7fff) >> mantissaBits;
      const fraction = (pattern & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
      if ((pattern & 0x7fff) > infinity) return NaN;
      if ((pattern & 0x7fff) === infinity) return sign * Infinity;
      return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
    });
    expect(firstDifference(widened, expected)).toBeUndefined();
  });

  test("gives back all 65536 patterns, a NaN as a quiet NaN of the same sign", () => {
    const quiet = 1 << (mantissaBits - 1);
    const expected = allPatterns.map((pattern) => ((pattern & 0x7fff) > infinity ? pattern | quiet : pattern));
    expect(firstDifference(patternsOf(fromFloat32(widened, dtype)), expected)).toBeUndefined();
  });

  test("rounds the middle between any two neighbours to the even one and its f32 neighbours to the nearest", () => {
    for (const sign of [0, 0x8000]) {
      const lower = allPatterns.subarray(0, infinity);
      const middles = Float32Array.from(lower, (pattern) => middleAbove(pattern));
      const bits = new Uint32Array(middles.buffer);
      const round = (step: number): Uint16Array =>
        patternsOf(fromFloat32(new Float32Array(bits.map((b) => (b + step) | (sign << 16)).buffer), dtype));
      expect(
        firstDifference(
          round(-1),
          lower.map((pattern) => sign | pattern),
        ),
      ).toBeUndefined();
      expect(
        firstDifference(
          round(0),
          lower.map((pattern) => sign | (pattern + (pattern & 1))),
        ),
      ).toBeUndefined();
      expect(
        firstDifference(
          round(1),
          lower.map((pattern) => sign | (pattern + 1)),
        ),
      ).toBeUndefined();
    }
  });

  test("rounds as torch does at ties, limits and random bits", () => {
    const rows = new DataView(readFixture("rounding.bin").buffer);
    const column = (offset: number, bytes: 2 | 4): number[] =>
      Array.from({ length: rows.byteLength / 8 }, (_, row) =>
        bytes === 4 ? rows.getUint32(row * 8 + offset, true) : rows.getUint16(row * 8 + offset, true),
      );
    const values = new Float32Array(Uint32Array.from(column(0, 4)).buffer);
    const expected = Uint16Array.from(column(dtype === "f16" ? 4 : 6, 2));
    expect(values.length).toBeGreaterThan(1000);
    const actual = fromFloat32(values, dtype);
    expect(
      firstDifference(toFloat32(actual, dtype), toFloat32(new Uint8Array(expected.buffer), dtype)),
    ).toBeUndefined();
  });

  test("keeps a NaN whose payload lies only in the bits that are cut", () => {
    const values = new Float32Array(Uint32Array.of(0x7f80_0001, 0xff80_0001).buffer);
    const patterns = patternsOf(fromFloat32(values, dtype));
    expect([...patterns].map((pattern) => (pattern & 0x7fff) > infinity)).toEqual([true, true]);
    expect([...patterns].map((pattern) => pattern >> 15)).toEqual([0, 1]);
  });

  /** Exact in f32; above the largest finite value it lies halfway to the next power of two. */
  function middleAbove(pattern: number): number {
    const next = pattern + 1 === infinity ? 2 ** (bias + 1) : widened[pattern + 1]!;
    return widened[pattern]! + (next - widened[pattern]!) / 2;
  }
});

describe("any dtype", () => {
  const values = Float32Array.of(1.5, -0, 2 ** -14, -1024);

  test.each(["f32", "f16", "bf16"] as const)("%s is read at any byte offset", (dtype) => {
    const bytes = fromFloat32(values, dtype);
    for (const offset of [0, 1, 2, 3]) {
      const shifted = new Uint8Array(bytes.length + offset + 1);
      shifted.set(bytes, offset);
      expect(toFloat32(shifted.subarray(offset, offset + bytes.length), dtype)).toEqual(values);
    }
  });

  test.each(["f32", "f16", "bf16"] as const)("%s is written from a part of an array", (dtype) => {
    expect(toFloat32(fromFloat32(values.subarray(1, 3), dtype), dtype)).toEqual(values.subarray(1, 3));
  });

  test("f32 keeps every bit and shares no memory with its source", () => {
    const source = new Float32Array(Uint32Array.of(0x7f80_0001, 0x8000_0000, 1).buffer);
    const bytes = fromFloat32(source, "f32");
    const copy = toFloat32(Buffer.from(bytes.buffer), "f32");
    source.fill(0);
    bytes.fill(0);
    expect([...new Uint32Array(copy.buffer)]).toEqual([0x7f80_0001, 0x8000_0000, 1]);
  });
});

function patternsOf(bytes: Uint8Array<ArrayBuffer>): Uint16Array {
  return new Uint16Array(bytes.buffer);
}

/** Like toEqual, but fast on long arrays; tells -0 from 0. */
function firstDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): object | undefined {
  for (let i = 0; i < Math.max(actual.length, expected.length); i++)
    if (!Object.is(actual[i], expected[i])) return { i, actual: actual[i], expected: expected[i] };
  return undefined;
}

function readFixture(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(join(import.meta.dirname, "../fixtures/checkpoint", name)));
}
