/** A sum of bytes that tells whether others are the same, at the speed of the memory: what two threads see of a file is compared. */
import { assemble, at, type Code, i32, increase, op, repeated } from "./assembler.ts";
import { BorrowedMemory } from "./borrowed-memory.ts";
import type { NamedModule, WasmRun } from "./instantiate.ts";

/** Bytes that are summed at once, whoever sums: other pieces have other sums. */
const PIECE = 2 ** 17;
const VECTOR = 16;
const LANES = [0, 1, 2, 3] as const;

/** Parameters: where the bytes are, where they end, and the sum of those before. */
const [ADDRESS, END, SUM] = [0, 1, 2];
/** All vectors added up, and all such sums, by which their order counts. */
const [FIRST, SECOND] = [3, 4];
/** The prime of the hash FNV-1a, of 32 bits. */
const PRIME = 0x0100_0193;

/** Fletcher's checksum of four lanes of 32 bits (IEEE Transactions on Communications 30, 1982), whose eight numbers are then hashed. */
export const byteSum: NamedModule = {
  name: "byte sum",
  assembled: () =>
    assemble({
      parameters: ["i32", "i32", "i32"],
      result: "i32",
      locals: ["v128", "v128"],
      body: [
        ...repeated([
          ...addTo(FIRST, [...op("local.get", ADDRESS), ...at("v128.load", 0)]),
          ...addTo(SECOND, op("local.get", FIRST)),
          ...increase(ADDRESS, VECTOR),
          ...op("local.get", ADDRESS),
          ...op("local.get", END),
          ...op("i32.lt_u"),
        ]),
        ...op("local.get", SUM),
        ...[FIRST, SECOND].flatMap((local) => LANES.flatMap((lane) => hashed(local, lane))),
      ],
    }),
};

function addTo(local: number, value: Code): Code {
  return [...op("local.get", local), ...value, ...op("i32x4.add"), ...op("local.set", local)];
}

/** Hashes a lane with what is on the stack. */
function hashed(local: number, lane: number): Code {
  return [
    ...op("local.get", local),
    ...op("i32x4.extract_lane", lane),
    ...op("i32.xor"),
    ...i32(PRIME),
    ...op("i32.mul"),
  ];
}

/**
 * The sum of bytes in the memory of a function of `byteSum`, with that of those before, whose number is a multiple of 2^17. The
 * 15 bytes behind them are overwritten.
 */
export function sumOf(bytes: Uint8Array, run: WasmRun, before = 0): number {
  const { buffer, byteOffset, length } = bytes;
  new Uint8Array(buffer, byteOffset + length, -length & (VECTOR - 1)).fill(0);
  let sum = before;
  for (let first = 0; first < length; first += PIECE)
    sum = run(byteOffset + first, byteOffset + Math.min(first + PIECE, length), sum);
  return sum;
}

/** The same of bytes wherever they are. */
export function sumOfCopy(bytes: Uint8Array): number {
  using memory = new BorrowedMemory(byteSum, bytes.length + VECTOR);
  memory.bytes.set(bytes);
  return sumOf(memory.bytes.subarray(0, bytes.length), memory.run);
}
