import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scalarMessage, untimedText, versionMessage } from "../../../src/cli/tensorboard/event-message.ts";
import { crc32c, maskedCrc32c } from "../../../src/cli/tensorboard/masked-crc32c.ts";
import { payloadsIn, tfRecord } from "../../../src/cli/tensorboard/tf-record.ts";
import { root } from "../../source/source-files.ts";

interface Reference {
  readonly began: number;
  readonly scalars: readonly (readonly [seconds: number, step: number, tag: string, value: number | string])[];
  readonly file: string;
  readonly maskedChecksums: Readonly<Record<string, number>>;
}

const path = join(root, "test", "fixtures", "cli", "event-file.json");
const reference = JSON.parse(readFileSync(path, "utf8")) as Reference;
const file = Buffer.from(reference.file, "base64");
const messages = reference.scalars.map(([seconds, step, tag, value]) =>
  scalarMessage({ tag, step, value: Number(value) }, seconds),
);

const read = (bytes: Buffer): string[] => payloadsIn(bytes).map((payload) => payload.toString("hex"));

test("a file of scalars has the bytes that tensorboard's own writer makes of them", () => {
  const written = Buffer.concat([versionMessage(reference.began), ...messages].map(tfRecord));
  expect(written.toString("hex")).toBe(file.toString("hex"));
});

test("what a scalar is but for its time tells it from every other one", () => {
  const texts = new Set(messages.map(untimedText));
  expect(texts.size).toBe(messages.length);
  const later = reference.scalars.map(([, step, tag, value]) => scalarMessage({ tag, step, value: Number(value) }, 7));
  expect(later.map(untimedText)).toEqual([...texts]);
});

describe("checksums", () => {
  test.each(Object.entries(reference.maskedChecksums))("of %j are tensorboard's", (text, checksum) => {
    expect(maskedCrc32c(Buffer.from(text))).toBe(checksum);
  });

  // RFC 3720, B.4.
  test.each([
    ["zeros", new Uint8Array(32), 0x8a9136aa],
    ["ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ["rising", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ["falling", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ])("of 32 bytes of %s are those of iSCSI", (_, bytes, checksum) => {
    expect(crc32c(bytes)).toBe(checksum);
  });
});

describe("payloadsIn", () => {
  const whole = [versionMessage(reference.began), ...messages].map((message) => message.toString("hex"));

  test("reads what stands in a file", () => expect(read(file)).toEqual(whole));

  test("reads a file that is cut off anywhere as far as it is whole", () => {
    for (let length = 0; length < file.length; length += 1) {
      const found = read(file.subarray(0, length));
      expect(found.length).toBeLessThan(whole.length);
      expect(found).toEqual(whole.slice(0, found.length));
    }
  });

  test("stops before a record with another bit, wherever it is", () => {
    for (let byte = 0; byte < file.length; byte += 1) {
      const damaged = Buffer.from(file);
      damaged.writeUInt8(damaged.readUInt8(byte) ^ 0x10, byte);
      const found = read(damaged);
      expect(found.length).toBeLessThan(whole.length);
      expect(found).toEqual(whole.slice(0, found.length));
    }
  });
});
