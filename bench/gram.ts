/** What inner products of parents cost beside the hash of the same bytes, which every reading takes: `npx tsx bench/gram.ts`. */
import { createHash } from "node:crypto";
import { alignedText } from "../src/report/text/text-table.ts";
import { gramOf } from "../src/tensor/gram.ts";
import type { StoredValues } from "../src/tensor/stored-values.ts";
import { fromFloat32 } from "../src/tensor/half.ts";
import { RandomStream } from "../src/tensor/random.ts";
import { interleave, timed } from "./interleave.ts";
import { machine } from "./machine.ts";

/** That of a matrix of a 7B model. */
const ELEMENTS = 4096 * 4096;
const REPETITIONS = 5;

function weight(seed: number, dtype: StoredValues["dtype"]): StoredValues {
  const random = RandomStream.of(seed, "weight");
  const some = Float32Array.from({ length: 4096 }, () => 0.02 * random.normal());
  const row = Buffer.from(fromFloat32(some, dtype));
  return { dtype, bytes: new Uint8Array(Buffer.concat(Array.from({ length: ELEMENTS / some.length }, () => row))) };
}

console.log(`${machine()}\n`);
const rows: string[][] = [];
for (const dtype of ["bf16", "f32"] as const) {
  for (const count of [2, 3, 4, 6]) {
    const [base, ...experts] = Array.from({ length: count }, (_, i) => weight(i, dtype));
    const { gram, hash } = await interleave(
      {
        gram: () => timed(async () => void (await gramOf(base!, experts))),
        hash: () =>
          timed(async () => {
            for (const { bytes } of [base!, ...experts]) createHash("sha256").update(bytes).digest();
          }),
      },
      REPETITIONS,
    );
    const each = (1e9 * gram.cpu) / (ELEMENTS * count);
    rows.push([
      dtype,
      String(count),
      gram.cpu.toFixed(2),
      hash.cpu.toFixed(2),
      (gram.cpu / hash.cpu).toFixed(1),
      each.toFixed(1),
    ]);
  }
}
console.log(
  alignedText({ header: ["dtype", "parents", "CPU s", "SHA-256: CPU s", "ratio", "ns an element and parent"], rows }),
);
