import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesPerElement, type Dtype } from "../../src/tensor/dtype.ts";
import { firstNonFinite } from "../../src/tensor/finite.ts";
import { toFloat32 } from "../../src/tensor/half.ts";

const dtypes: readonly Dtype[] = ["f32", "f16", "bf16"];

function fromBits(bits: readonly number[], dtype: Dtype): Uint8Array {
  const elements = dtype === "f32" ? Uint32Array.from(bits) : Uint16Array.from(bits);
  return new Uint8Array(elements.buffer);
}

describe("firstNonFinite", () => {
  test.each([
    { what: "the largest f32", dtype: "f32", bits: 0x7f7f_ffff, finite: true },
    { what: "f32 infinity", dtype: "f32", bits: 0x7f80_0000, finite: false },
    { what: "f32 minus infinity", dtype: "f32", bits: 0xff80_0000, finite: false },
    { what: "a signalling f32 NaN", dtype: "f32", bits: 0x7f80_0001, finite: false },
    { what: "the least subnormal f32", dtype: "f32", bits: 0x8000_0001, finite: true },
    { what: "the largest bf16", dtype: "bf16", bits: 0x7f7f, finite: true },
    { what: "bf16 minus infinity", dtype: "bf16", bits: 0xff80, finite: false },
    { what: "a bf16 NaN", dtype: "bf16", bits: 0x7fc0, finite: false },
    { what: "the largest f16", dtype: "f16", bits: 0xfbff, finite: true },
    { what: "f16 infinity", dtype: "f16", bits: 0x7c00, finite: false },
    { what: "a signalling f16 NaN", dtype: "f16", bits: 0xfc01, finite: false },
  ] as const)("$what: finite $finite", ({ dtype, bits, finite }) => {
    expect(firstNonFinite(fromBits([0, 0, bits, bits], dtype), dtype)).toBe(finite ? -1 : 2);
  });

  test.each(dtypes)("finds what a scan of the %s values finds, at any alignment", (dtype) => {
    const size = bytesPerElement[dtype];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(7), fc.boolean(), (random, offset, buffer) => {
        const bytes = random.subarray(0, random.length - (random.length % size));
        const moved = new Uint8Array(offset + bytes.length);
        moved.set(bytes, offset);
        const view = buffer ? Buffer.from(moved.buffer).subarray(offset) : moved.subarray(offset);
        expect(firstNonFinite(view, dtype)).toBe(toFloat32(bytes, dtype).findIndex((value) => !Number.isFinite(value)));
      }),
      { examples: [[Uint8Array.of(0, 0, 0x80, 0x7f), 1, true]] },
    );
  });

  test.each(dtypes)("finds one among many %s values, wherever it is", (dtype) => {
    const size = bytesPerElement[dtype];
    const count = 2 ** 18 + 11;
    const infinity = { f32: 0x7f80_0000, f16: 0x7c00, bf16: 0xff80 }[dtype];
    const largest = { f32: 0x7f7f_ffff, f16: 0x7bff, bf16: 0x7f7f }[dtype];
    const elements = dtype === "f32" ? new Uint32Array(count) : new Uint16Array(count);
    const bytes = new Uint8Array(elements.buffer);
    expect(firstNonFinite(bytes, dtype)).toBe(-1);
    for (const place of [0, 2 ** 17 / size - 1, 2 ** 17 / size, 200_003, count - 1]) {
      elements.fill(largest)[place] = infinity;
      expect(firstNonFinite(bytes, dtype)).toBe(place);
    }
  });
});
