import * as fc from "fast-check";
import { expect, test } from "vitest";
import { pack, unpack } from "../../src/tensor/packed.ts";

test("any f32 numbers are unpacked as they were packed", () => {
  fc.assert(
    fc.property(fc.float32Array(), (values) => {
      expect(unpack(pack(values))).toEqual(values);
    }),
  );
});

test("of a part of a buffer only that part is packed", () => {
  expect(unpack(pack(Float32Array.of(1, 2, 3).subarray(1, 2)))).toEqual(Float32Array.of(2));
});

test.each([
  ["white space", "AACA Pw=="],
  ["a character that base64 has not", "AACA?w=="],
  ["the alphabet of addresses", "AACA-w=="],
  ["no padding", "AACAPw"],
  ["bits behind the last byte", "AACAPx=="],
  ["a byte too few", "AACA"],
  ["a byte too many", "AACAPwA="],
  ["text behind the padding", "AACAPw==AACAPw=="],
])("a text with %s is none of numbers", (_, text) => {
  expect(unpack("AACAPw==")).toEqual(Float32Array.of(1));
  expect(unpack(text)).toBeUndefined();
});

test("a text as long as a journal's record has is looked at, too", () => {
  const text = "A".repeat(2 ** 26);
  expect(unpack(text)).toHaveLength((2 ** 26 * (3 / 4)) / 4);
  expect(unpack(`${text}?`)).toBeUndefined();
});
