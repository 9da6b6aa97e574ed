/** Whether there is a NaN or an infinity among numbers, at the speed of the memory. */
import { bytesPerElement, type Dtype } from "../dtype.ts";
import { assemble, at, type Code, increase, op, repeated, splat } from "./assembler.ts";
import { BorrowedMemory } from "./borrowed-memory.ts";

/** The bits of a number's exponent; all of them set means NaN or infinity in every IEEE format. */
export const exponentMask: Readonly<Record<Dtype, number>> = { f32: 0x7f80_0000, bf16: 0x7f80, f16: 0x7c00 };

/** Bytes that are looked at at once: they stay in a core's cache. */
export const LOOKED_AT = 2 ** 17;
/** Bytes in one turn of the loop. */
const [VECTOR, TURN] = [16, 64];

const [ADDRESS, END, MASK, FOUND] = [0, 1, 2, 3];

/** Looks at pieces of a tensor. */
export class NonFinite implements Disposable {
  readonly #memory: BorrowedMemory;

  constructor(dtype: Dtype) {
    this.#memory = new BorrowedMemory({ name: `non-finite ${dtype}`, assembled: () => moduleOf(dtype) }, LOOKED_AT);
  }

  /** Whether there is one among at most LOOKED_AT little-endian bytes. */
  isAmong(piece: Uint8Array): boolean {
    const { bytes, run } = this.#memory;
    const end = Math.ceil(piece.length / TURN) * TURN;
    bytes.set(piece);
    bytes.fill(0, piece.length, end);
    return end > 0 && run(0, end) !== 0;
  }

  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
  }
}

/** A function of where numbers are and where they end. */
function moduleOf(dtype: Dtype): Uint8Array<ArrayBuffer> {
  const isWide = bytesPerElement[dtype] === 4;
  const bits = exponentMask[dtype];
  const load = (offset: number): Code => [...op("local.get", ADDRESS), ...at("v128.load", offset)];
  const found = (offset: number): Code => [
    ...load(offset),
    ...op("local.get", MASK),
    ...op("v128.and"),
    ...op("local.get", MASK),
    ...op(isWide ? "i32x4.eq" : "i16x8.eq"),
    ...op("local.get", FOUND),
    ...op("v128.or"),
    ...op("local.set", FOUND),
  ];
  const turn = Array.from({ length: TURN / VECTOR }, (_, i) => found(i * VECTOR)).flat();
  const isMore = [...op("local.get", ADDRESS), ...op("local.get", END), ...op("i32.lt_u")];
  return assemble({
    parameters: ["i32", "i32"],
    result: "i32",
    locals: ["v128", "v128"],
    body: [
      ...splat(isWide ? bits : bits * 0x1_0001),
      ...op("local.set", MASK),
      ...repeated([...turn, ...increase(ADDRESS, TURN), ...isMore]),
      ...op("local.get", FOUND),
      ...op("v128.any_true"),
    ],
  });
}
