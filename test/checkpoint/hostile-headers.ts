import { safetensorsBytes } from "./safetensors-bytes.ts";

export const validHeader = {
  __metadata__: { format: "pt" },
  b: { dtype: "BF16", shape: [2, 3], data_offsets: [4, 16] },
  a: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
};

/** A header of one tensor that is sound but for `fields`. */
export function withTensor(fields: object): object {
  return { a: { ...validHeader.a, ...fields } };
}

/** What is wrong, the file, and the whole error when its path is x. */
export const hostileHeaders: readonly (readonly [string, Uint8Array, string])[] = [
  ["an empty file", new Uint8Array(), "x: expected a safetensors header, found a file of 0 bytes"],
  ["a file of 7 bytes", new Uint8Array(7), "x: expected a safetensors header, found a file of 7 bytes"],
  [
    "a Git LFS pointer",
    Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:00\n"),
    'x: this is a Git LFS pointer, not the weights; run "git lfs pull" in its folder',
  ],
  [
    "a header longer than the file",
    Uint8Array.of(200, 0, 0, 0, 0, 0, 0, 0, 123, 125),
    "x: expected a header of at most the 2 bytes left in the file, found one of 200",
  ],
  [
    "a header of 2^64 - 1 bytes",
    new Uint8Array(20).fill(255),
    "x: expected a header of at most the 12 bytes left in the file, found one of 18446744073709551615",
  ],
  ["an empty header", safetensorsBytes(""), "x: the header is not JSON in UTF-8; this is not a safetensors file"],
  ["JSON cut short", safetensorsBytes('{"a":'), "x: the header is not JSON in UTF-8; this is not a safetensors file"],
  [
    "brackets in disorder",
    safetensorsBytes("}{}"),
    "x: the header is not JSON in UTF-8; this is not a safetensors file",
  ],
  [
    "a byte order mark",
    safetensorsBytes("\ufeff{}"),
    "x: the header is not JSON in UTF-8; this is not a safetensors file",
  ],
  [
    "bytes that are not UTF-8",
    safetensorsBytes(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)),
    "x: the header is not JSON in UTF-8; this is not a safetensors file",
  ],
  ["an array", safetensorsBytes([]), "x: the header: expected an object, found []"],
  ["null", safetensorsBytes("null"), "x: the header: expected an object, found null"],
  ["deep nesting", safetensorsBytes("[".repeat(2e6)), "x: the header has more than 1400000 keys, objects and arrays"],
  [
    "metadata of numbers",
    safetensorsBytes({ __metadata__: { a: 1 } }),
    "x: __metadata__: expected an object of strings, found [Object]",
  ],
  [
    "metadata null",
    safetensorsBytes({ __metadata__: null }),
    "x: __metadata__: expected an object of strings, found null",
  ],
  ["a tensor twice", safetensorsBytes('{"a":{},"a":{}}'), "x: the header has the key 'a' twice"],
  ["a tensor twice, once escaped", safetensorsBytes('{"a":{},"\\u0061":{}}'), "x: the header has the key 'a' twice"],
  [
    "metadata twice",
    safetensorsBytes('{"__metadata__":{},"__metadata__":{}}'),
    "x: the header has the key '__metadata__' twice",
  ],
  [
    "a field twice",
    safetensorsBytes('{"a":{"dtype":1,"x":[2],"dtype" :2}}'),
    "x: the header has the key 'dtype' twice",
  ],
  [
    "a value nested too deep to print",
    safetensorsBytes(`{"a":{"dtype":${"[".repeat(1e5)}${"]".repeat(1e5)}}}`),
    "x: tensor 'a': expected the dtype F32, F16 or BF16, found [ [Array] ]",
  ],
  ["a tensor that is no object", safetensorsBytes({ a: [1] }), "x: tensor 'a': expected an object, found [ 1 ]"],
  [
    "a name with control characters",
    safetensorsBytes({ "a\u009b2J": validHeader.a }, 4),
    "x: tensor 'a\\x9B2J': expected no control characters or lone surrogates in its name",
  ],
  ["no dtype", safetensorsBytes({ a: {} }), "x: tensor 'a': expected the dtype F32, F16 or BF16, found undefined"],
  [
    "a legal dtype of less than a byte",
    safetensorsBytes({ codes: { dtype: "F4", shape: [2], data_offsets: [0, 1] } }, 1),
    "x: tensor 'codes': expected the dtype F32, F16 or BF16, found 'F4'",
  ],
  [
    "a dtype in lower case",
    safetensorsBytes(withTensor({ dtype: "f32" })),
    "x: tensor 'a': expected the dtype F32, F16 or BF16, found 'f32'",
  ],
  [
    "a negative size",
    safetensorsBytes(withTensor({ shape: [-1] })),
    "x: tensor 'a': expected a shape of at most 8 whole numbers from 0, found [ -1 ]",
  ],
  [
    "a broken size",
    safetensorsBytes(withTensor({ shape: [1.5] })),
    "x: tensor 'a': expected a shape of at most 8 whole numbers from 0, found [ 1.5 ]",
  ],
  [
    "a size beyond 2^53",
    safetensorsBytes(withTensor({ shape: [2 ** 53] })),
    "x: tensor 'a': expected a shape of at most 8 whole numbers from 0, found [ 9007199254740992 ]",
  ],
  [
    "a shape that is a number",
    safetensorsBytes(withTensor({ shape: 1 })),
    "x: tensor 'a': expected a shape of at most 8 whole numbers from 0, found 1",
  ],
  [
    "nine dimensions",
    safetensorsBytes(withTensor({ shape: Array.from({ length: 9 }, () => 1) }), 4),
    "x: tensor 'a': expected a shape of at most 8 whole numbers from 0, found [ 1, 1, 1, 1, 1, 1, 1, 1, 1 ]",
  ],
  [
    "three offsets",
    safetensorsBytes(withTensor({ data_offsets: [0, 4, 4] })),
    "x: tensor 'a': expected data_offsets of a start and an end, found [ 0, 4, 4 ]",
  ],
  [
    "offsets of text",
    safetensorsBytes(withTensor({ data_offsets: ["0", "4"] })),
    "x: tensor 'a': expected data_offsets of a start and an end, found [ '0', '4' ]",
  ],
  [
    "too few bytes for a shape",
    safetensorsBytes(withTensor({ shape: [2] }), 4),
    "x: tensor 'a': expected data_offsets of 8 bytes for 'F32' of shape [ 2 ], found [ 0, 4 ]",
  ],
  [
    "offsets in reverse",
    safetensorsBytes(withTensor({ data_offsets: [4, 0] }), 4),
    "x: tensor 'a': expected data_offsets of 4 bytes for 'F32' of shape [ 1 ], found [ 4, 0 ]",
  ],
  [
    "a shape whose product overflows",
    safetensorsBytes(withTensor({ shape: [2 ** 40, 2 ** 40, 2 ** 40] }), 4),
    "x: tensor 'a': expected data_offsets of 5.316911983139664e+36 bytes for 'F32' of shape [ 1099511627776, 1099511627776, 1099511627776 ], found [ 0, 4 ]",
  ],
  [
    "a hole",
    safetensorsBytes({ ...validHeader, a: { ...validHeader.a, shape: [0], data_offsets: [0, 0] } }, 16),
    "x: tensor 'b': expected its data at offset 0, found it at 4; tensors follow each other without holes or overlaps",
  ],
  [
    "an overlap",
    safetensorsBytes({ ...validHeader, b: { ...validHeader.b, data_offsets: [0, 12] } }, 16),
    "x: tensor 'b': expected its data at offset 4, found it at 0; tensors follow each other without holes or overlaps",
  ],
  [
    "a file cut short",
    safetensorsBytes(validHeader, 15),
    "x: expected 166 bytes by its header, found 165; was it copied or downloaded in full?",
  ],
  [
    "bytes after the data",
    safetensorsBytes(validHeader, 17),
    "x: expected 166 bytes by its header, found 167; was it copied or downloaded in full?",
  ],
];
