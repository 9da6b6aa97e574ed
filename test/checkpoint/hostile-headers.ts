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
  ["an empty file", new Uint8Array(), "x: the file has 0 bytes, too few for a safetensors header"],
  ["a file of 7 bytes", new Uint8Array(7), "x: the file has 7 bytes, too few for a safetensors header"],
  [
    "a Git LFS pointer",
    Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:00\n"),
    'x: this is a Git LFS pointer, not the weights; run "git lfs pull" in its folder',
  ],
  [
    "a header longer than the file",
    Uint8Array.of(200, 0, 0, 0, 0, 0, 0, 0, 123, 125),
    "x: the header claims 200 bytes, expected at most the 2 left in the file",
  ],
  [
    "a header of 2^64 - 1 bytes",
    new Uint8Array(20).fill(255),
    "x: the header claims 18446744073709551615 bytes, expected at most the 12 left in the file",
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
  ["an array", safetensorsBytes([]), "x: the header is [], expected an object"],
  ["null", safetensorsBytes("null"), "x: the header is null, expected an object"],
  ["deep nesting", safetensorsBytes("[".repeat(2e6)), "x: the header has more than 1400000 keys, objects and arrays"],
  [
    "metadata of numbers",
    safetensorsBytes({ __metadata__: { a: 1 } }),
    "x: __metadata__ is [Object], expected an object of strings",
  ],
  ["metadata null", safetensorsBytes({ __metadata__: null }), "x: __metadata__ is null, expected an object of strings"],
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
    "x: tensor 'a' has the unsupported dtype [ [Array] ], expected F32, F16 or BF16",
  ],
  ["a tensor that is no object", safetensorsBytes({ a: [1] }), "x: tensor 'a' is [ 1 ], expected an object"],
  [
    "a name with control characters",
    safetensorsBytes({ "a\u009b2J": validHeader.a }, 4),
    "x: tensor 'a\\x9B2J' has control characters or lone surrogates in its name",
  ],
  [
    "no dtype",
    safetensorsBytes({ a: {} }),
    "x: tensor 'a' has the unsupported dtype undefined, expected F32, F16 or BF16",
  ],
  [
    "a legal dtype of less than a byte",
    safetensorsBytes({ codes: { dtype: "F4", shape: [2], data_offsets: [0, 1] } }, 1),
    "x: tensor 'codes' has the unsupported dtype 'F4', expected F32, F16 or BF16",
  ],
  [
    "a dtype in lower case",
    safetensorsBytes(withTensor({ dtype: "f32" })),
    "x: tensor 'a' has the unsupported dtype 'f32', expected F32, F16 or BF16",
  ],
  [
    "a negative size",
    safetensorsBytes(withTensor({ shape: [-1] })),
    "x: tensor 'a' has shape [ -1 ], expected at most 8 whole numbers from 0",
  ],
  [
    "a broken size",
    safetensorsBytes(withTensor({ shape: [1.5] })),
    "x: tensor 'a' has shape [ 1.5 ], expected at most 8 whole numbers from 0",
  ],
  [
    "a size beyond 2^53",
    safetensorsBytes(withTensor({ shape: [2 ** 53] })),
    "x: tensor 'a' has shape [ 9007199254740992 ], expected at most 8 whole numbers from 0",
  ],
  [
    "a shape that is a number",
    safetensorsBytes(withTensor({ shape: 1 })),
    "x: tensor 'a' has shape 1, expected at most 8 whole numbers from 0",
  ],
  [
    "nine dimensions",
    safetensorsBytes(withTensor({ shape: Array.from({ length: 9 }, () => 1) }), 4),
    "x: tensor 'a' has shape [ 1, 1, 1, 1, 1, 1, 1, 1, 1 ], expected at most 8 whole numbers from 0",
  ],
  [
    "three offsets",
    safetensorsBytes(withTensor({ data_offsets: [0, 4, 4] })),
    "x: tensor 'a' has data_offsets [ 0, 4, 4 ], expected a start and an end",
  ],
  [
    "offsets of text",
    safetensorsBytes(withTensor({ data_offsets: ["0", "4"] })),
    "x: tensor 'a' has data_offsets [ '0', '4' ], expected a start and an end",
  ],
  [
    "too few bytes for a shape",
    safetensorsBytes(withTensor({ shape: [2] }), 4),
    "x: tensor 'a' has data_offsets [ 0, 4 ], expected 8 bytes for 'F32' of shape [ 2 ]",
  ],
  [
    "offsets in reverse",
    safetensorsBytes(withTensor({ data_offsets: [4, 0] }), 4),
    "x: tensor 'a' has data_offsets [ 4, 0 ], expected 4 bytes for 'F32' of shape [ 1 ]",
  ],
  [
    "a shape whose product overflows",
    safetensorsBytes(withTensor({ shape: [2 ** 40, 2 ** 40, 2 ** 40] }), 4),
    "x: tensor 'a' has data_offsets [ 0, 4 ], expected 5.316911983139664e+36 bytes for 'F32' of shape [ 1099511627776, 1099511627776, 1099511627776 ]",
  ],
  [
    "a hole",
    safetensorsBytes({ ...validHeader, a: { ...validHeader.a, shape: [0], data_offsets: [0, 0] } }, 16),
    "x: the data of tensor 'b' starts at offset 4, expected 0, because tensors follow each other without holes or overlaps",
  ],
  [
    "an overlap",
    safetensorsBytes({ ...validHeader, b: { ...validHeader.b, data_offsets: [0, 12] } }, 16),
    "x: the data of tensor 'b' starts at offset 0, expected 4, because tensors follow each other without holes or overlaps",
  ],
  [
    "a file cut short",
    safetensorsBytes(validHeader, 15),
    "x: the file has 165 bytes, expected 166 from its header; was it copied or downloaded in full?",
  ],
  [
    "bytes after the data",
    safetensorsBytes(validHeader, 17),
    "x: the file has 167 bytes, expected 166 from its header; was it copied or downloaded in full?",
  ],
];
