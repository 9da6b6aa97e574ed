/** The code that counts which magnitudes of a range two tensors' differences have. */
import { bytesPerElement, type Dtype } from "../dtype.ts";
import { assemble, at, type Code, conditional, i32, increase, op, repeated, splat } from "./assembler.ts";
import type { NamedModule } from "./instantiate.ts";
import { loadPairs, type Pair, type Splat } from "./pairs.ts";

/** Elements that are looked at at once, and in one turn of the loop: two vectors. */
export const RANGE_PIECE = 2 ** 16;
export const RANGE_GROUP = 8;
const LANES = [0, 1, 2, 3] as const;
const VECTOR = 16;

/** Magnitudes that a range may have. */
export const WIDEST = 2 ** 21;
/** Counts are summed by blocks of so many, by which a place is found. */
export const COUNT_BLOCK = 2 ** 10;

/**
 * Where pieces of the two tensors are, the magnitudes of a piece that are in the range, how lanes are moved together, and the
 * counts of blocks and of magnitudes.
 */
export const [FROM, OTHER, HITS] = [0, 1, 2].map((i) => i * 4 * RANGE_PIECE) as [number, number, number];
export const MOVES = HITS + 4 * RANGE_PIECE + VECTOR;
export const BLOCKS = MOVES + 16 * VECTOR;
export const COUNTS = BLOCKS + 4 * (WIDEST / COUNT_BLOCK);

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

/** For each choice of lanes the bytes of these alone, in order: others follow, which the next are written over. */
export const laneMoves = Uint8Array.from({ length: 16 * VECTOR }, (_, i) => {
  const [bits, byte] = [Math.floor(i / VECTOR), i % VECTOR];
  const lane = LANES.filter((own) => bits & (1 << own))[byte >> 2] ?? 0;
  return 4 * lane + (byte % 4);
});

/**
 * The function `run(count, low, high)`: of so many elements the magnitudes whose bits are from `low` to below `high` are counted
 * in memory, those below are the result.
 */
export function rangeCounts(x: Dtype, y: Dtype): NamedModule {
  return { name: `counts ${x} ${y}`, assembled: () => moduleOf(x, y) };
}

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
  const next = [...increase(FOURFOLD, 4 * RANGE_GROUP), ...increase(TWICE, 2 * RANGE_GROUP)];
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
  ...i32(Math.log2(COUNT_BLOCK)),
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
