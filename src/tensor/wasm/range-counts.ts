import { bytesPerElement, type Dtype } from "../dtype.ts";
import { copyElements, type StoredValues } from "../stored-values.ts";
import { assemble, at, type Code, conditional, i32, increase, op, repeated, splat } from "./assembler.ts";
import { BorrowedMemory } from "./borrowed-memory.ts";
import { loadPairs, type Pair, type Splat } from "./pairs.ts";

/** Elements that are looked at at once, and in one turn of the loop: two vectors. */
export const RANGE_PIECE = 2 ** 16;
const GROUP = 8;
const LANES = [0, 1, 2, 3] as const;
const VECTOR = 16;

/** Magnitudes that a range may have. */
export const WIDEST = 2 ** 21;
/** Counts are summed by blocks of so many, by which a place is found. */
const BLOCK = 2 ** 10;

/**
 * Where pieces of the two tensors are, the magnitudes of a piece that are in the range, how lanes are moved together, and the
 * counts of blocks and of magnitudes.
 */
const [FROM, OTHER, HITS] = [0, 1, 2].map((i) => i * 4 * RANGE_PIECE) as [number, number, number];
const MOVES = HITS + 4 * RANGE_PIECE + VECTOR;
const BLOCKS = MOVES + 16 * VECTOR;
const COUNTS = BLOCKS + 4 * (WIDEST / BLOCK);

/** Parameters: how many elements, the bits from which on magnitudes are counted, and those at which that ends. */
const [COUNT, LOW, HIGH] = [0, 1, 2];
/** The element times 2 and 4; where hits end, which lanes are hits, which hit is counted, and where. */
const [TWICE, FOURFOLD, HITS_END, BITS, NEXT, PLACE, ADDRESS] = [3, 4, 5, 6, 7, 8, 9];
const FIRST_VECTOR = 10;
/** Both bounds in all lanes; how many are below the range, as negative numbers. */
const [LOWEST, HIGHEST, BELOW] = [0, 1, 2].map((i) => FIRST_VECTOR + i) as [number, number, number];
/** Bits that are the same in all lanes. */
const WITHOUT_SIGN = 0x7fff_ffff;
const MASKS = new Map([WITHOUT_SIGN, 0xffff_0000].map((bits, i) => [bits, FIRST_VECTOR + 3 + i]));
const SCRATCH = FIRST_VECTOR + 5;
/** Pieces of both tensors. */
const X: Pair = [FIRST_VECTOR + 6, FIRST_VECTOR + 7];
const Y: Pair = [FIRST_VECTOR + 8, FIRST_VECTOR + 9];
const VECTORS = 10;

/** How often each of the magnitudes |x - y| of two tensors is there that lie in a range, and how many are below it. */
export class RangeCounts implements Disposable {
  readonly #low: number;
  readonly #sizes: readonly [number, number];
  readonly #memory: BorrowedMemory;
  readonly #blocks: Uint32Array;
  /** By the bits of f32, from the lowest on. */
  readonly counts: Uint32Array;
  below = 0;

  /** The bits of f32 of the range's lowest magnitude, and how many follow it with it: WIDEST at most. */
  constructor(x: Dtype, y: Dtype, low: number, width: number) {
    this.#low = low;
    this.#sizes = [bytesPerElement[x], bytesPerElement[y]];
    this.#memory = new BorrowedMemory(
      { name: `counts ${x} ${y}`, assembled: () => moduleOf(x, y) },
      COUNTS + 4 * width,
    );
    const { bytes } = this.#memory;
    bytes.set(moves, MOVES);
    this.#blocks = new Uint32Array(bytes.buffer, BLOCKS, Math.ceil(width / BLOCK)).fill(0);
    this.counts = new Uint32Array(bytes.buffer, COUNTS, width).fill(0);
  }

  /** Adds so many elements, a piece at most, from one on. */
  add(x: StoredValues, y: StoredValues, first: number, count: number): void {
    const { bytes, run } = this.#memory;
    const whole = Math.ceil(count / GROUP) * GROUP;
    for (const [to, values, size] of [
      [FROM, x, this.#sizes[0]],
      [OTHER, y, this.#sizes[1]],
    ] as const) {
      copyElements(values, first, bytes.subarray(to, to + count * size));
      bytes.fill(0, to + count * size, to + whole * size);
    }
    this.below += run(whole, this.#low, this.#low + this.counts.length);
    // What was added to a group are zeros.
    const zeros = whole - count;
    if (this.#low > 0) this.below -= zeros;
    else for (const counted of [this.counts, this.#blocks]) counted[0]! -= zeros;
  }

  /** The bits of the magnitude that stands at a place when all are in ascending order; undefined where it is not in the range. */
  at(place: number): number | undefined {
    const blocks = this.#blocks;
    let [block, before] = [0, this.below];
    if (place < before) return undefined;
    for (; block < blocks.length && before + blocks[block]! <= place; block += 1) before += blocks[block]!;
    for (let i = block * BLOCK; i < this.counts.length; i += 1) {
      before += this.counts[i]!;
      if (before > place) return this.#low + i;
    }
    return undefined;
  }

  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
  }
}

/** For each choice of lanes the bytes of these alone, in order: others follow, which the next are written over. */
const moves = Uint8Array.from({ length: 16 * VECTOR }, (_, i) => {
  const [bits, byte] = [Math.floor(i / VECTOR), i % VECTOR];
  const lane = LANES.filter((own) => bits & (1 << own))[byte >> 2] ?? 0;
  return 4 * lane + (byte % 4);
});

function moduleOf(x: Dtype, y: Dtype): Uint8Array<ArrayBuffer> {
  const load = (dtype: Dtype, address: number, locals: Pair): Code =>
    loadPairs[dtype](op("local.get", bytesPerElement[dtype] === 4 ? FOURFOLD : TWICE), address, locals, mask, SCRATCH);
  const magnitude = (half: 0 | 1): Code => [
    ...op("local.get", X[half]),
    ...op("local.get", Y[half]),
    ...op("f32x4.sub"),
    ...mask(WITHOUT_SIGN),
    ...op("v128.and"),
    ...op("local.set", X[half]),
  ];
  const group = [
    ...load(x, FROM, X),
    ...load(y, OTHER, Y),
    ...([0, 1] as const).flatMap((half) => [...magnitude(half), ...keepHits(X[half])]),
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
      ...Array.from(MASKS, ([bits, local]) => inAllLanes(i32(bits), local)).flat(),
      ...repeated([...group, ...next, ...isMore, ...op("i32.lt_u")]),
      ...op("local.get", HITS_END),
      ...conditional(COUNT_HITS),
      ...i32(0),
      ...LANES.flatMap((lane) => [...op("local.get", BELOW), ...op("i32x4.extract_lane", lane), ...op("i32.sub")]),
    ],
  });
}

/** Bits in all lanes, which are made once where they have a local. */
const mask: Splat = (bits) => {
  const local = MASKS.get(bits);
  return local === undefined ? splat(bits) : op("local.get", local);
};

function inAllLanes(bits: Code, to: number): Code {
  return [...bits, ...op("i32x4.splat"), ...op("local.set", to)];
}

/** Writes those lanes of a vector behind the hits that are in the range, without a guess that could be wrong, and counts those below. */
function keepHits(own: number): Code {
  return [
    ...op("local.get", HITS_END),
    ...op("local.get", own),
    ...isIn(own),
    ...op("i32x4.bitmask"),
    ...op("local.tee", BITS),
    ...i32(4),
    ...op("i32.shl"),
    ...at("v128.load", MOVES),
    ...op("i8x16.swizzle"),
    ...at("v128.store", HITS),
    ...op("local.get", HITS_END),
    ...op("local.get", BITS),
    ...op("i32.popcnt"),
    ...i32(2),
    ...op("i32.shl"),
    ...op("i32.add"),
    ...op("local.set", HITS_END),
  ];
}

/** Leaves which lanes are in the range: true is -1, so that a sum counts, and who is under the higher bound alone is in it. */
function isIn(own: number): Code {
  const isUnder = (bound: number): Code => [...op("local.get", own), ...op("local.get", bound), ...op("i32x4.lt_s")];
  return [
    ...isUnder(LOWEST),
    ...op("local.tee", SCRATCH),
    ...op("local.get", BELOW),
    ...op("i32x4.add"),
    ...op("local.set", BELOW),
    ...isUnder(HIGHEST),
    ...op("local.get", SCRATCH),
    ...op("v128.xor"),
  ];
}

/** Counts each hit, and in its block. */
const COUNT_HITS: Code = repeated([
  ...op("local.get", NEXT),
  ...at("i32.load", HITS),
  ...op("local.get", LOW),
  ...op("i32.sub"),
  ...op("local.tee", PLACE),
  ...oneMoreAt(COUNTS),
  ...op("local.get", PLACE),
  ...i32(Math.log2(BLOCK)),
  ...op("i32.shr_u"),
  ...oneMoreAt(BLOCKS),
  ...increase(NEXT, 4),
  ...op("local.get", NEXT),
  ...op("local.get", HITS_END),
  ...op("i32.lt_u"),
]);

/** Adds 1 to the count of the index on the stack. */
function oneMoreAt(counts: number): Code {
  return [
    ...i32(2),
    ...op("i32.shl"),
    ...op("local.tee", ADDRESS),
    ...op("local.get", ADDRESS),
    ...at("i32.load", counts),
    ...i32(1),
    ...op("i32.add"),
    ...at("i32.store", counts),
  ];
}
