import { expect, test } from "vitest";
import { LENGTH_BYTES, parseHeader, readHeaderLength } from "../../src/checkpoint/safetensors-header.ts";
import { mutatedBytes, mutatedJson, mutationCount, meetMutations } from "../mutations.ts";
import { validHeader } from "./hostile-headers.ts";
import { safetensorsBytes } from "./safetensors-bytes.ts";

const COUNT = mutationCount(3000);
const DATA_BYTES = 16;

test(`${COUNT} mutated safetensors headers are sound or refused in one sentence`, async () => {
  const tally = await meetMutations("headers", COUNT, (random) => {
    const json = random.integer(3) === 0 ? JSON.stringify(validHeader) : mutatedJson(validHeader, random);
    const whole = safetensorsBytes(json, DATA_BYTES);
    const file = random.integer(3) === 0 ? mutatedBytes(whole, random) : whole;
    const length = readHeaderLength(file.subarray(0, LENGTH_BYTES), "x", file.length);
    const header = parseHeader(file.subarray(LENGTH_BYTES, LENGTH_BYTES + length), "x", file.length);
    const tensors = [...header.tensors, ...header.others];
    expect(new Set(tensors.map(({ name }) => name)).size).toBe(tensors.length);
    expect(tensors.reduce((end, { bytes }) => end + bytes, LENGTH_BYTES + length)).toBe(file.length);
  });
  expect(tally.refused).toBeGreaterThan(COUNT / 3);
  expect(tally.sound).toBeGreaterThan(COUNT / 50);
  expect(tally.slowestMs).toBeLessThan(10_000);
}, 3_600_000);
