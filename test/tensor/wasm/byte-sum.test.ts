import { expect, test } from "vitest";
import { RandomStream } from "../../../src/tensor/random.ts";
import { BorrowedMemory } from "../../../src/tensor/wasm/borrowed-memory.ts";
import { byteSum, sumOf, sumOfCopy } from "../../../src/tensor/wasm/byte-sum.ts";

const LENGTH = 2 ** 18 + 2 ** 17 + 37;
const stream = RandomStream.of(1, "bytes");
const bytes = Uint8Array.from({ length: LENGTH }, () => stream.integer(256));

test("bytes that are summed piece by piece have the sum of all", () => {
  using memory = new BorrowedMemory(byteSum, 2 ** 19);
  let sum = 0;
  for (let first = 0; first < LENGTH; first += 2 ** 18) {
    const piece = bytes.subarray(first, first + 2 ** 18);
    memory.bytes.fill(0xff).set(piece, 48);
    sum = sumOf(memory.bytes.subarray(48, 48 + piece.length), memory.run, sum);
  }
  expect(sum).toBe(sumOfCopy(bytes));
});

test("one other bit, two vectors or two pieces in each other's place, and nothing of the end have other sums", () => {
  const sums = new Set([sumOfCopy(bytes)]);
  const others: Uint8Array[] = [0, 15, 16, 2 ** 17, LENGTH - 1].map((at) => bytes.with(at, bytes[at]! ^ 0x80));
  const exchanged = (first: number, second: number, length: number): Uint8Array => {
    const copy = bytes.slice();
    copy.set(bytes.subarray(first, first + length), second);
    copy.set(bytes.subarray(second, second + length), first);
    return copy;
  };
  others.push(exchanged(16, 32, 16), exchanged(0, 2 ** 17, 2 ** 17), bytes.subarray(0, LENGTH - 1));
  for (const other of others) sums.add(sumOfCopy(other));
  expect(sums.size).toBe(1 + others.length);
});
