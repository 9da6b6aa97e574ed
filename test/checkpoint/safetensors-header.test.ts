import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatHeader,
  type SafetensorsHeader,
  parseHeader,
  readHeaderLength,
} from "../../src/checkpoint/safetensors-header.ts";
import { UserError } from "../../src/errors.ts";
import { hostileHeaders, validHeader, withTensor } from "./hostile-headers.ts";
import { safetensorsBytes } from "./safetensors-bytes.ts";

function parse(file: Uint8Array): SafetensorsHeader {
  const length = readHeaderLength(file.subarray(0, 8), "x", file.length);
  return parseHeader(file.subarray(8, 8 + length), "x", file.length);
}

describe("safetensors header", () => {
  test("gives tensors in the order of their bytes, with positions in the file", () => {
    const file = safetensorsBytes(validHeader, 16);
    const dataStart = file.length - 16;
    expect(parse(file)).toEqual({
      tensors: [
        { name: "a", dtype: "f32", shape: [1], bytes: 4, start: dataStart },
        { name: "b", dtype: "bf16", shape: [2, 3], bytes: 12, start: dataStart + 4 },
      ],
      others: [],
    });
  });

  test.each([
    ["I64", 8],
    ["F64", 8],
    ["I32", 4],
    ["BOOL", 1],
    ["U8", 1],
    ["F8_E4M3", 1],
  ])("sets apart tensors of %s, which no forward pass reads", (dtype, bytes) => {
    const other = { dtype, shape: [2], data_offsets: [16, 16 + 2 * bytes] };
    const { tensors, others } = parse(
      safetensorsBytes({ ...validHeader, "model.position_ids": other }, 16 + 2 * bytes),
    );
    expect(tensors.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(others).toMatchObject([{ name: "model.position_ids", dtype, shape: [2], bytes: 2 * bytes }]);
  });

  test.each<[string, Uint8Array]>([
    ["no tensors", safetensorsBytes("{}")],
    ["trailing spaces", safetensorsBytes(`${JSON.stringify(validHeader)}   `, 16)],
    ["a tensor without elements", safetensorsBytes(withTensor({ shape: [0, 5], data_offsets: [0, 0] }))],
    ["a tensor named __proto__", safetensorsBytes(`{"__proto__":${JSON.stringify(validHeader.a)}}`, 4)],
    ["keys that repeat in different tensors only", safetensorsBytes(validHeader, 16)],
  ])("accepts %s", (_, file) => {
    expect(() => parse(file)).not.toThrow();
  });

  test.each(hostileHeaders)("refuses %s", (_, file, message) => {
    expect(() => parse(file)).toThrow(new UserError(message));
  });

  test("refuses a header over the limit of the format, however large the file", () => {
    const length = Uint8Array.of(1, 0xe1, 0xf5, 5, 0, 0, 0, 0); // 100,000,001
    expect(() => readHeaderLength(length, "x", 1e12)).toThrow(
      new UserError("x: expected a header of at most 100000000 bytes, found one of 100000001"),
    );
  });

  test("cuts long untrusted text in its errors", () => {
    expect(() => parse(safetensorsBytes({ ["n".repeat(1e5)]: { dtype: "d".repeat(1e5) } }))).toThrow(/^x: .{1,350}$/);
  });

  test("survives any damage to its bytes with a UserError or with tensors that fill the file", () => {
    const original = safetensorsBytes(validHeader, 16);
    const damage = fc.array(fc.record({ at: fc.nat(original.length - 1), byte: fc.nat(255) }), {
      minLength: 1,
      maxLength: 4,
    });
    const json = fc.json({ maxDepth: 3 }).map((text) => safetensorsBytes(text));
    const tensors = fc
      .dictionary(fc.string(), fc.record(oddFields, { requiredKeys: [] }))
      .map((header) => safetensorsBytes(header, 8));
    const damaged = damage.map((changes) => {
      const file = new Uint8Array(original);
      for (const { at, byte } of changes) file[at] = byte;
      return file;
    });
    fc.assert(
      fc.property(fc.oneof(damaged, json, tensors, fc.uint8Array({ maxLength: 40 })), (file) => {
        const found = parseOrUserError(file);
        if (found instanceof UserError) return;
        const all = [...found.tensors, ...found.others];
        const bytes = all.reduce((total, tensor) => total + tensor.bytes, 0);
        const start = Math.min(...all.map((tensor) => tensor.start));
        expect(all.length > 0 ? start + bytes : file.length).toBe(file.length);
      }),
      { numRuns: 2000 },
    );
  });

  test("reads back what it writes, with the data at a multiple of 8", () => {
    const name = fc.string().filter((text) => text !== "__metadata__" && !/\p{Cc}/u.test(text));
    const spec = fc.record({
      name: fc.oneof(name, fc.constantFrom("__proto__", "0", "ключ")),
      dtype: fc.constantFrom("f32", "f16", "bf16"),
      shape: fc.array(fc.nat(5), { maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(spec, { selector: ({ name }) => name }), (specs) => {
        const header = formatHeader(specs);
        const dataBytes = specs.reduce((total, { dtype, shape }) => {
          return total + shape.reduce((a, b) => a * b, dtype === "f32" ? 4 : 2);
        }, 0);
        const { tensors: found } = parseHeader(header.subarray(8), "x", header.length + dataBytes);
        expect(header.length % 8).toBe(0);
        expect(found.map(({ name, dtype, shape }) => ({ name, dtype, shape })).toSorted(byName)).toEqual(
          specs.toSorted(byName),
        );
      }),
    );
  });
});

const oddNumber = fc.oneof(fc.nat(9), fc.constantFrom(-1, 0.5, 2 ** 53, 1e300, -0));
const oddFields = {
  dtype: fc.constantFrom("F32", "BF16", "I64", 4, null),
  shape: fc.oneof(fc.array(oddNumber, { maxLength: 9 }), fc.constantFrom(null, "2", [[1]], { length: 1 })),
  data_offsets: fc.oneof(fc.tuple(oddNumber, oddNumber), fc.constantFrom([0, 8], [0], null, ["0", "8"])),
};

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}

function parseOrUserError(file: Uint8Array): SafetensorsHeader | UserError {
  try {
    return parse(file);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}
