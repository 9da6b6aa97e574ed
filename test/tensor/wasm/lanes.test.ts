import { expect, test } from "vitest";
import { bytesPerElement, type Dtype } from "../../../src/tensor/dtype.ts";
import { fromFloat32, toFloat32 } from "../../../src/tensor/half.ts";
import { RandomStream } from "../../../src/tensor/random.ts";
import { assemble, type Code, increase, op, repeated } from "../../../src/tensor/wasm/assembler.ts";
import { instantiate, wasmMemory } from "../../../src/tensor/wasm/instantiate.ts";
import { loadLanes, roundLanes, storeLanes } from "../../../src/tensor/wasm/lanes.ts";

const OUTPUT = 2 ** 20;

/** What lanes of one type become when they are stored as another; `between` changes them on the stack. */
function convert(bytes: Uint8Array, from: Dtype, to: Dtype, between: Code = []): Uint8Array {
  const [source, target, end] = [0, 1, 2].map((local) => op("local.get", local)) as [Code, Code, Code];
  const values = [...loadLanes[from](source, 0, [3, 4]), ...between];
  const body = repeated([
    ...storeLanes[to](target, OUTPUT, values, [3, 4]),
    ...increase(0, 4 * bytesPerElement[from]),
    ...increase(1, 4 * bytesPerElement[to]),
    ...source,
    ...end,
    ...op("i32.lt_u"),
  ]);
  const memory = wasmMemory(2 * OUTPUT);
  new Uint8Array(memory.buffer).set(bytes);
  const assembled = (): Uint8Array<ArrayBuffer> =>
    assemble({ parameters: ["i32", "i32", "i32"], locals: ["v128", "v128"], body });
  instantiate({ name: body.join(), assembled }, memory)(0, 0, bytes.length);
  const length = (bytes.length / bytesPerElement[from]) * bytesPerElement[to];
  return new Uint8Array(memory.buffer.slice(OUTPUT, OUTPUT + length));
}

const everyHalf = new Uint8Array(Uint16Array.from({ length: 2 ** 16 }, (_, i) => i).buffer);

/** Random bits, and those around which rounding changes: halfway between halves, their largest and their least. */
const manySingles = (): Uint8Array => {
  const random = RandomStream.of(1, "bits");
  const near = Array.from({ length: 2 ** 16 }, (_, i) => [i * 2 ** 16, i * 2 ** 16 + 0x8000, i * 2 ** 16 + 0x1000]);
  const edges = [
    0x477f_f000, 0x477f_efff, 0x3300_0000, 0x3300_0001, 0x387f_e000, 0x387f_ffff, 0x7f80_0001, 0xff80_0001,
  ];
  const bits = [...near.flat(), ...edges, ...Array.from({ length: 2 ** 15 }, () => random.integer(2 ** 32))];
  return new Uint8Array(Uint32Array.from([...bits, ...bits.map((value) => value + 1)]).buffer);
};

test.each(["f16", "bf16"] as const)("widens every %s as half.ts does", (dtype) => {
  const expected = new Uint8Array(toFloat32(everyHalf, dtype).buffer);
  expect(Buffer.compare(convert(everyHalf, dtype, "f32"), expected)).toBe(0);
});

test.each(["f16", "bf16"] as const)("rounds to %s as half.ts does", (dtype) => {
  const singles = manySingles();
  for (let start = 0; start < singles.length; start += 2 ** 19) {
    const piece = singles.subarray(start, start + 2 ** 19);
    const expected = fromFloat32(toFloat32(piece, "f32"), dtype);
    expect(Buffer.compare(convert(piece, "f32", dtype), expected)).toBe(0);
    const held = new Uint8Array(toFloat32(expected, dtype).buffer);
    expect(Buffer.compare(convert(piece, "f32", "f32", roundLanes[dtype]([3, 4])), held)).toBe(0);
  }
});
