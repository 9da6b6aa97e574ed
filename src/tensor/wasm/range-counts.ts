import { bytesPerElement, type Dtype } from "../dtype.ts";
import { copyElements, type StoredValues } from "../stored-values.ts";
import { assemble, at, type Code, conditional, i32, increase, op, repeated, splat } from "./assembler.ts";
import { BorrowedMemory } from "./borrowed-memory.ts";
import { loadPairs, type Pair } from "./pairs.ts";

/** Elements that are looked at at once, and in one turn of the loop: two vectors. */
export const RANGE_PIECE = 2 ** 16;
const GROUP = 8;
const LANES = [0, 1, 2, 3] as const;

const VECTOR = 16;

/** Where pieces of the two tensors are, groups of magnitudes of which one is in the range, and the counts. */
const [FROM, OTHER, GROUPS] = [0, 1, 2].map((i) => i * 4 * RANGE_PIECE) as [number, number, number];
const COUNTS = GROUPS + 4 * RANGE_PIECE + 2 * VECTOR;

/** Parameters: how many elements, the bits from which on magnitudes are counted, and those at which that ends. */
const [COUNT, LOW, HIGH] = [0, 1, 2];
/** The element times 2 and 4; where the groups end, and which magnitude of theirs is counted, and where. */
const [TWICE, FOURFOLD, GROUPS_END, NEXT, PLACE] = [3, 4, 5, 6, 7];
const FIRST_VECTOR = 8;
/** Both bounds in all lanes, and all bits but the sign's; how many are below the range, as negative numbers. */
const [LOWEST, HIGHEST, WITHOUT_SIGN, BELOW] = [0, 1, 2, 3].map((i) => FIRST_VECTOR + i) as [
  number,
  number,
  number,
  number,
];
/** Pieces of both tensors. */
const SCRATCH = FIRST_VECTOR + 4;
const X: Pair = [FIRST_VECTOR + 5, FIRST_VECTOR + 6];
const Y: Pair = [FIRST_VECTOR + 7, FIRST_VECTOR + 8];
const VECTORS = 9;

/** How often each of the magnitudes |x - y| of two tensors is there that lie in a range, and how many are below it. */
export class RangeCounts implements Disposable {
  readonly #low: number;
  readonly #sizes: readonly [number, number];
  readonly #memory: BorrowedMemory;
  /** By the bits of f32, from the lowest on. */
  readonly counts: Uint32Array;
  below = 0;

  /** The bits of f32 of the range's lowest magnitude, and how many follow it with it. */
  constructor(x: Dtype, y: Dtype, low: number, width: number) {
    this.#low = low;
    this.#sizes = [bytesPerElement[x], bytesPerElement[y]];
    this.#memory = new BorrowedMemory(
      { name: `counts ${x} ${y}`, assembled: () => moduleOf(x, y) },
      // Behind the last is what counts those that are not in the range.
      COUNTS + 4 * (width + 1),
    );
    this.counts = new Uint32Array(this.#memory.bytes.buffer, COUNTS, width).fill(0);
  }

  /** Adds so many elements, a piece at most, from one on. */
  add(x: StoredValues, y: StoredValues, first: number, count: number): void {
    const { bytes, run } = this.#memory;
    const whole = Math.ceil(count / GROUP) * GROUP;
    for (const [at, values, size] of [
      [FROM, x, this.#sizes[0]],
      [OTHER, y, this.#sizes[1]],
    ] as const) {
      copyElements(values, first, bytes.subarray(at, at + count * size));
      bytes.fill(0, at + count * size, at + whole * size);
    }
    const { length } = this.counts;
    this.below += run(whole, this.#low, this.#low + length);
    // What was added to a group are zeros.
    if (this.#low > 0) this.below -= whole - count;
    else this.counts[0]! -= whole - count;
  }

  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
  }
}

/** How many magnitudes the range has. */
const width = [...op("local.get", HIGH), ...op("local.get", LOW), ...op("i32.sub")];

function moduleOf(x: Dtype, y: Dtype): Uint8Array<ArrayBuffer> {
  const load = (dtype: Dtype, address: number, locals: Pair): Code =>
    loadPairs[dtype](op("local.get", bytesPerElement[dtype] === 4 ? FOURFOLD : TWICE), address, locals, splat, SCRATCH);
  const magnitudes = X.flatMap((own, i) => [
    ...op("local.get", own),
    ...op("local.get", Y[i]!),
    ...op("f32x4.sub"),
    ...op("local.get", WITHOUT_SIGN),
    ...op("v128.and"),
    ...op("local.set", own),
  ]);
  const group = [
    ...load(x, FROM, X),
    ...load(y, OTHER, Y),
    ...magnitudes,
    ...X.flatMap((own, i) => [
      ...op("local.get", GROUPS_END),
      ...op("local.get", own),
      ...at("v128.store", GROUPS + i * VECTOR),
    ]),
    // The next group takes the place of one that has nothing in the range: nothing is guessed, and guessed wrong.
    ...op("local.get", GROUPS_END),
    ...isIn(X[0], Y[0]),
    ...isIn(X[1], Y[1]),
    ...op("v128.or"),
    ...op("v128.any_true"),
    ...i32(5),
    ...op("i32.shl"),
    ...op("i32.add"),
    ...op("local.set", GROUPS_END),
  ];
  const next = [...increase(FOURFOLD, 4 * GROUP), ...increase(TWICE, 2 * GROUP)];
  const isMore = [...op("local.get", TWICE), ...op("local.get", COUNT), ...op("local.get", COUNT), ...op("i32.add")];
  return assemble({
    parameters: ["i32", "i32", "i32"],
    result: "i32",
    locals: [...Array<"i32">(FIRST_VECTOR - TWICE).fill("i32"), ...Array<"v128">(VECTORS).fill("v128")],
    body: [
      ...inAllLanes(op("local.get", LOW), LOWEST),
      ...inAllLanes(op("local.get", HIGH), HIGHEST),
      ...inAllLanes(i32(0x7fff_ffff), WITHOUT_SIGN),
      ...repeated([...group, ...next, ...isMore, ...op("i32.lt_u")]),
      ...op("local.get", GROUPS_END),
      ...conditional(COUNT_GROUPS),
      ...i32(0),
      ...LANES.flatMap((lane) => [...op("local.get", BELOW), ...op("i32x4.extract_lane", lane), ...op("i32.sub")]),
    ],
  });
}

function isUnder(own: number, bound: number): Code {
  return [...op("local.get", own), ...op("local.get", bound), ...op("i32x4.lt_s")];
}

/** Leaves which lanes are in the range: true is -1, so that a sum counts, and who is under the higher bound alone is in it. */
function isIn(own: number, scratch: number): Code {
  return [
    ...isUnder(own, LOWEST),
    ...op("local.tee", scratch),
    ...op("local.get", BELOW),
    ...op("i32x4.add"),
    ...op("local.set", BELOW),
    ...isUnder(own, HIGHEST),
    ...op("local.get", scratch),
    ...op("v128.xor"),
  ];
}

function inAllLanes(bits: Code, to: number): Code {
  return [...bits, ...op("i32x4.splat"), ...op("local.set", to)];
}

/** Counts each magnitude of the groups, those that are not in the range behind all others. */
const COUNT_GROUPS: Code = repeated([
  ...op("local.get", NEXT),
  ...at("i32.load", GROUPS),
  ...op("local.get", LOW),
  ...op("i32.sub"),
  ...op("local.tee", PLACE),
  ...width,
  ...op("local.get", PLACE),
  ...width,
  ...op("i32.lt_u"),
  ...op("select"),
  ...i32(2),
  ...op("i32.shl"),
  ...op("local.tee", PLACE),
  ...op("local.get", PLACE),
  ...at("i32.load", COUNTS),
  ...i32(1),
  ...op("i32.add"),
  ...at("i32.store", COUNTS),
  ...increase(NEXT, 4),
  ...op("local.get", NEXT),
  ...op("local.get", GROUPS_END),
  ...op("i32.lt_u"),
]);
