import { maskedCrc32c } from "./masked-crc32c.ts";

/** Bytes of a record before what it holds, and behind. */
const HEAD = 12;
const TAIL = 4;

/** A record of a TFRecord file: the length, its checksum, the bytes, their checksum, all in little endian. */
export function tfRecord(payload: Uint8Array): Buffer {
  const record = Buffer.alloc(HEAD + payload.length + TAIL);
  record.writeBigUInt64LE(BigInt(payload.length));
  record.writeUInt32LE(maskedCrc32c(record.subarray(0, 8)), 8);
  record.set(payload, HEAD);
  record.writeUInt32LE(maskedCrc32c(payload), HEAD + payload.length);
  return record;
}

/** What the records of a file hold, up to the first that is cut off or damaged: nobody reads what stands behind it. */
export function payloadsIn(file: Buffer): Buffer[] {
  const payloads: Buffer[] = [];
  let offset = 0;
  while (offset + HEAD + TAIL <= file.length) {
    const head = file.subarray(offset, offset + 8);
    const end = offset + HEAD + Number(head.readBigUInt64LE());
    if (file.readUInt32LE(offset + 8) !== maskedCrc32c(head) || end + TAIL > file.length) break;
    const payload = file.subarray(offset + HEAD, end);
    if (file.readUInt32LE(end) !== maskedCrc32c(payload)) break;
    payloads.push(payload);
    offset = end + TAIL;
  }
  return payloads;
}
