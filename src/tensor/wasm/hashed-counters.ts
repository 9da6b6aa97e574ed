import { assemble, at, type Code, i32, increase, op, repeated, splat } from "./assembler.ts";
import { BorrowedMemory } from "./borrowed-memory.ts";

/** Numbers that are made at once: they stay in a core's cache. */
export const HASHED = 2 ** 14;

const LANES = 4;
/** What a counter is more than that before it: odd, and of irregular bits. */
const STEP = 0x9e37_79b1;
/** The bits of 2^-24. */
const UNIT = (127 - 24) << 23;

/** Where the first multiples of the step are, one for each lane, and the numbers. */
const [MULTIPLES, NUMBERS] = [0, 16];

/** Parameters: the first counter, the key of the second hash, and how many; the address of a vector, and vectors. */
const [FIRST, KEY, COUNT, ADDRESS] = [0, 1, 2, 3];
const [COUNTERS, MIXED] = [4, 5];

/**
 * Uniform numbers in [0, 1), multiples of 2^-24, each of its counter alone (Salmon et al. 2011,
 * doi:10.1145/2063384.2063405): twice through the finalizer of MurmurHash3, under a key each time.
 */
export class HashedCounters implements Disposable {
  readonly #memory = new BorrowedMemory({ name: "hashed counters", assembled: hashing }, NUMBERS + 4 * HASHED);

  constructor() {
    new Int32Array(this.#memory.bytes.buffer, MULTIPLES, LANES).set([0, 1, 2, 3].map((lane) => Math.imul(lane, STEP)));
  }

  /** Of so many indices from one on, up to HASHED, which the next call overwrites. */
  of(first: number, second: number, start: number, count: number): Float32Array {
    this.#memory.run((Math.imul(start, STEP) + first) | 0, second, count);
    return new Float32Array(this.#memory.bytes.buffer, NUMBERS, count);
  }

  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
  }
}

/** The finalizer of MurmurHash3. */
function mixed(x: Code): Code {
  return [...x, ...xorShifted(16), ...times(0x85eb_ca6b), ...xorShifted(13), ...times(0xc2b2_ae35), ...xorShifted(16)];
}

function xorShifted(by: number): Code {
  const shifted = [...op("local.tee", MIXED), ...op("local.get", MIXED), ...i32(by), ...op("i32x4.shr_u")];
  return [...shifted, ...op("v128.xor")];
}

function times(factor: number): Code {
  return [...splat(factor), ...op("i32x4.mul")];
}

const keyed: Code = [
  ...mixed(op("local.get", COUNTERS)),
  ...op("local.get", KEY),
  ...op("i32x4.splat"),
  ...op("i32x4.add"),
];

const hashing = (): Uint8Array<ArrayBuffer> =>
  assemble({
    parameters: ["i32", "i32", "i32"],
    locals: ["i32", "v128", "v128"],
    body: [
      ...op("local.get", FIRST),
      ...op("i32x4.splat"),
      ...i32(0),
      ...at("v128.load", MULTIPLES),
      ...op("i32x4.add"),
      ...op("local.set", COUNTERS),
      ...repeated([
        ...op("local.get", ADDRESS),
        ...mixed(keyed),
        ...i32(8),
        ...op("i32x4.shr_u"),
        ...op("f32x4.convert_i32x4_u"),
        ...splat(UNIT),
        ...op("f32x4.mul"),
        ...at("v128.store", NUMBERS),
        ...op("local.get", COUNTERS),
        ...splat(LANES * STEP),
        ...op("i32x4.add"),
        ...op("local.set", COUNTERS),
        ...increase(ADDRESS, 4 * LANES),
        ...op("local.get", ADDRESS),
        ...op("local.get", COUNT),
        ...i32(2),
        ...op("i32.shl"),
        ...op("i32.lt_u"),
      ]),
    ],
  });
