import { bytesPerElement, type Dtype } from "../dtype.ts";
import { assemble, at, type Code, i32, increase, op, repeated } from "./assembler.ts";
import { instantiate, wasmMemory } from "./instantiate.ts";
import { loadLanes, type Scratch } from "./lanes.ts";

/** Elements that are summed by themselves; as doubles those of all tensors are in a core's cache together. */
export const BLOCK = 1024;

const LANES = 4;
const DOUBLE = Float64Array.BYTES_PER_ELEMENT;

/** Locals: twice and four times the element, where its doubles are; vectors, behind which the sums are. */
const [TWICE, FOURFOLD, ROW] = [0, 1, 2];
const SCRATCH: Scratch = [3, 4];
const [VALUES, LOW, HIGH] = [5, 6, 7];
const FIRST_SUM = 8;

/** The upper two of the four lanes that are on the stack, in the places of the lower two. */
const UPPER_HALF: Code = [
  ...op("local.get", VALUES),
  ...op("i8x16.shuffle", 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15),
];

/**
 * Inner products of a tensor and of the differences of others from it, in doubles: products are added one after the other
 * within a block, and blocks one after the other.
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
    this.#sums = new Float64Array(memory.buffer, this.#layout.sums, this.#layout.size ** 2);
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
    return this.#sums[Math.max(i, j) * this.#layout.size + Math.min(i, j)]!;
  }
}

/** Where blocks of the tensors are, their doubles, element by element for all tensors, and the sums. */
interface Layout {
  readonly inputs: readonly { readonly dtype: Dtype; readonly address: number }[];
  /** How many tensors, and one that is 0 where that is odd. */
  readonly size: number;
  readonly doubles: number;
  readonly sums: number;
  readonly bytes: number;
}

function layoutOf(dtypes: readonly Dtype[]): Layout {
  const size = dtypes.length + (dtypes.length % 2);
  const inputs = dtypes.map((dtype, i) => ({ dtype, address: i * 4 * BLOCK }));
  const doubles = dtypes.length * 4 * BLOCK;
  const sums = doubles + size * DOUBLE * BLOCK;
  return { inputs, size, doubles, sums, bytes: sums + size ** 2 * DOUBLE };
}

function moduleOf(layout: Layout): Uint8Array<ArrayBuffer> {
  const pairs = pairsOf(layout);
  const body = [
    ...repeated([...widen(layout), ...next(layout, LANES), ...isBefore(TWICE, 2 * BLOCK)]),
    ...i32(0),
    ...op("local.set", ROW),
    ...repeated([
      ...pairs.flatMap((pair, i) => multiply(layout, pair, FIRST_SUM + i)),
      ...increase(ROW, layout.size * DOUBLE),
      ...isBefore(ROW, layout.size * DOUBLE * BLOCK),
    ]),
    ...pairs.flatMap((pair, i) => addSum(layout, pair, FIRST_SUM + i)),
  ];
  const vectors = Array<"v128">(FIRST_SUM - SCRATCH[0] + pairs.length).fill("v128");
  return assemble({ parameters: [], locals: ["i32", "i32", "i32", ...vectors], body });
}

/** A row of the matrix of products, and the first of two columns of its lower half. */
type Pair = readonly [row: number, column: number];

function pairsOf({ inputs }: Layout): readonly Pair[] {
  return inputs.flatMap((_, row) => Array.from({ length: (row >> 1) + 1 }, (__, i): Pair => [row, 2 * i]));
}

function next({ size }: Layout, elements: number): Code {
  return [
    ...increase(TWICE, 2 * elements),
    ...increase(FOURFOLD, 4 * elements),
    ...increase(ROW, size * DOUBLE * elements),
  ];
}

function isBefore(local: number, end: number): Code {
  return [...op("local.get", local), ...i32(end), ...op("i32.lt_u")];
}

/** Four elements of each tensor as doubles, those of all but the first less it. */
function widen({ inputs, size, doubles }: Layout): Code {
  return inputs.flatMap(({ dtype, address }, i) => {
    const local = op("local.get", bytesPerElement[dtype] === 4 ? FOURFOLD : TWICE);
    const half = (upper: Code, base: number, element: number): Code => {
      const value = [...op("local.get", VALUES), ...upper, ...op("f64x2.promote_low_f32x4")];
      const own =
        i === 0 ? [...value, ...op("local.tee", base)] : [...value, ...op("local.get", base), ...op("f64x2.sub")];
      const kept = [...own, ...op("local.set", SCRATCH[0])];
      const store = [0, 1].flatMap((lane) => [
        ...op("local.get", ROW),
        ...op("local.get", SCRATCH[0]),
        ...at("v128.store64_lane", doubles + ((element + lane) * size + i) * DOUBLE, lane),
      ]);
      return [...kept, ...store];
    };
    const load = [...loadLanes[dtype](local, address, SCRATCH), ...op("local.set", VALUES)];
    return [...load, ...half([], LOW, 0), ...half(UPPER_HALF, HIGH, 2)];
  });
}

function multiply({ doubles }: Layout, [row, column]: Pair, sum: number): Code {
  return [
    ...op("local.get", sum),
    ...op("local.get", ROW),
    ...at("v128.load64_splat", doubles + row * DOUBLE),
    ...op("local.get", ROW),
    ...at("v128.load", doubles + column * DOUBLE),
    ...op("f64x2.mul"),
    ...op("f64x2.add"),
    ...op("local.set", sum),
  ];
}

function addSum({ sums, size }: Layout, [row, column]: Pair, sum: number): Code {
  const address = sums + (row * size + column) * DOUBLE;
  return [
    ...i32(0),
    ...i32(0),
    ...at("v128.load", address),
    ...op("local.get", sum),
    ...op("f64x2.add"),
    ...at("v128.store", address),
  ];
}
