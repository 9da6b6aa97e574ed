import { bytesPerElement, type Dtype } from "../dtype.ts";
import { assemble, at, type Code, i32, increase, op, repeated } from "./assembler.ts";
import { instantiate, wasmMemory } from "./instantiate.ts";
import { loadLanes, type Scratch } from "./lanes.ts";

/** Elements that are summed by themselves; those of all tensors are in a core's cache together. */
export const BLOCK = 1024;

const LANES = 4;
const VECTOR = 16;

/** Locals: twice and four times the element; four elements of a tensor, its doubles, and behind them the sums. */
const [TWICE, FOURFOLD] = [0, 1];
const SCRATCH: Scratch = [2, 3];
const VALUES = 4;
const FIRST_VECTOR = 5;

/** The upper two of the four lanes that are on the stack, in the places of the lower two. */
const UPPER_HALF: Code = [
  ...op("local.get", VALUES),
  ...op("i8x16.shuffle", 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15),
];

/**
 * Inner products of a tensor and of the differences of others from it, in doubles. Within a block the products of every fourth
 * element are added one after the other; sums of even elements and those of odd ones are added block by block, and to each
 * other in the end.
 */
export class InnerProducts {
  readonly #layout: Layout;
  readonly #bytes: Uint8Array;
  readonly #sums: Float64Array;
  readonly #run: ReturnType<typeof instantiate>;

  /** The types of the tensors, of which the others are taken from the first. */
  constructor(dtypes: readonly Dtype[]) {
    this.#layout = layoutOf(dtypes);
    const memory = wasmMemory(this.#layout.bytes);
    this.#run = instantiate(moduleOf(this.#layout), memory);
    this.#bytes = new Uint8Array(memory.buffer);
    this.#sums = new Float64Array(memory.buffer, this.#layout.sums);
  }

  /** Adds the products of a block, of which each tensor gives up to so many elements from one on. */
  add(tensors: readonly Uint8Array[], first: number, count: number): void {
    for (const [i, bytes] of tensors.entries()) {
      const { dtype, address } = this.#layout.inputs[i]!;
      const size = bytesPerElement[dtype];
      this.#bytes.set(bytes.subarray(first * size, (first + count) * size), address);
      if (count < BLOCK) this.#bytes.fill(0, address + count * size, address + BLOCK * size);
    }
    this.#run();
  }

  /** That of two of them, by their places. */
  at(i: number, j: number): number {
    const pair = pairAt(Math.max(i, j), Math.min(i, j));
    return this.#sums[2 * pair]! + this.#sums[2 * pair + 1]!;
  }
}

/** Where blocks of the tensors are, and the sums: two of each pair, of its even and of its odd elements. */
interface Layout {
  readonly inputs: readonly { readonly dtype: Dtype; readonly address: number }[];
  readonly sums: number;
  readonly bytes: number;
}

function layoutOf(dtypes: readonly Dtype[]): Layout {
  const inputs = dtypes.map((dtype, i) => ({ dtype, address: i * 4 * BLOCK }));
  const sums = dtypes.length * 4 * BLOCK;
  return { inputs, sums, bytes: sums + pairAt(dtypes.length, 0) * VECTOR };
}

/** The place of a pair in the lower half of the matrix of products, row by row. */
function pairAt(row: number, column: number): number {
  return (row * (row + 1)) / 2 + column;
}

/** The low and the high two of four elements. */
const halves = [0, 1] as const;

function moduleOf({ inputs, sums }: Layout): Uint8Array<ArrayBuffer> {
  const doubles = (i: number, half: number): number => FIRST_VECTOR + 2 * i + half;
  const sum = (row: number, column: number, half: number): number => doubles(inputs.length + pairAt(row, column), half);
  const pairs = inputs.flatMap((_, row) => Array.from({ length: row + 1 }, (__, column) => [row, column] as const));
  const widen = inputs.flatMap(({ dtype, address }, i) => {
    const local = op("local.get", bytesPerElement[dtype] === 4 ? FOURFOLD : TWICE);
    const added = (half: number): Code => (i === 0 ? [] : [...op("local.get", doubles(0, half)), ...op("f64x2.sub")]);
    return [
      ...loadLanes[dtype](local, address, SCRATCH),
      ...op("local.set", VALUES),
      ...halves.flatMap((half) => [
        ...op("local.get", VALUES),
        ...(half === 0 ? [] : UPPER_HALF),
        ...op("f64x2.promote_low_f32x4"),
        ...added(half),
        ...op("local.set", doubles(i, half)),
      ]),
    ];
  });
  const multiply = pairs.flatMap(([row, column]) =>
    halves.flatMap((half) => [
      ...op("local.get", sum(row, column, half)),
      ...op("local.get", doubles(row, half)),
      ...op("local.get", doubles(column, half)),
      ...op("f64x2.mul"),
      ...op("f64x2.add"),
      ...op("local.set", sum(row, column, half)),
    ]),
  );
  const addToSums = pairs.flatMap(([row, column]) => {
    const address = sums + pairAt(row, column) * VECTOR;
    return [
      ...i32(0),
      ...i32(0),
      ...at("v128.load", address),
      ...halves.flatMap((half) => op("local.get", sum(row, column, half))),
      ...op("f64x2.add"),
      ...op("f64x2.add"),
      ...at("v128.store", address),
    ];
  });
  const next = [...increase(TWICE, 2 * LANES), ...increase(FOURFOLD, 4 * LANES)];
  const isMore = [...op("local.get", TWICE), ...i32(2 * BLOCK), ...op("i32.lt_u")];
  const vectors = FIRST_VECTOR - SCRATCH[0] + 2 * (inputs.length + pairs.length);
  const locals = ["i32", "i32", ...Array<"v128">(vectors).fill("v128")] as const;
  return assemble({
    parameters: [],
    locals,
    body: [...repeated([...widen, ...multiply, ...next, ...isMore]), ...addToSums],
  });
}
