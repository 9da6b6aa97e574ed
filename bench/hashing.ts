/**
 * What hashing weights costs beside reading them: `npx tsx bench/hashing.ts`. Reads a file as a checkpoint's tensors are
 * read, alone and with the hash of the first reading, from the page cache, which no disk is faster than.
 */
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRange } from "../src/checkpoint/pieces.ts";
import { sha256OfTensor } from "../src/checkpoint/tensor-hashes.ts";
import { interleave, timed } from "./interleave.ts";
import { machine } from "./machine.ts";

const BYTES = 2 ** 29;
const REPETITIONS = 5;

const folder = await mkdtemp(join(tmpdir(), "evomerge-"));
try {
  await using file = await open(join(folder, "weights"), "w+");
  await file.write(new Uint8Array(BYTES).map((_, i) => i ^ (i >> 8)));
  const read = (): Promise<Uint8Array> => readRange(file, "weights", 0, BYTES);
  const timings = await interleave(
    {
      read: () => timed(async () => void (await read())),
      "read and hash": () => timed(async () => void (await sha256OfTensor(await read()))),
    },
    REPETITIONS,
  );
  console.log(`${machine()}\n`);
  for (const [name, { wall, cpu }] of Object.entries(timings)) {
    const perSecond = (seconds: number): string => (BYTES / seconds / 1e9).toFixed(2);
    console.log(`${name.padEnd(14)} ${perSecond(wall)} GB/s, ${perSecond(cpu)} GB per CPU-second`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
