/**
 * How fast texts are generated, against transformers on the same prompts in the same minutes:
 *
 *     npx tsx bench/texts.ts MODEL [--python python3] [--precision f32|bf16] [--texts 8] [--tokens 64] [--repetitions 3]
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { BASE } from "../src/experiment/the-base.ts";
import { openWorkspace } from "../src/experiment/workspace.ts";
import { generateTokens } from "../src/generate/generate-tokens.ts";
import { holdMerge } from "../src/generate/held-merge.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import { RandomStream } from "../src/tensor/random.ts";
import { interleave, timed, type Timing } from "./interleave.ts";
import { machine } from "./machine.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: "string", default: "python3" },
    precision: { type: "string", default: "f32" },
    texts: { type: "string", default: "8" },
    tokens: { type: "string", default: "64" },
    threads: { type: "string", default: "1" },
    repetitions: { type: "string", default: "3" },
  },
});
const [folder = ""] = positionals;
const [texts, maxNewTokens] = [Number(values.texts), Number(values.tokens)];
const precision = values.precision as "f32" | "bf16";
console.log(machine());

await using workspace = await openWorkspace({ base: folder, experts: [], engine: "ggml", precision });
const { device, model, weights: parents } = workspace;
const random = RandomStream.of(1, "texts");
const prompts = Array.from({ length: texts }, (_, i) =>
  Array.from({ length: 64 + 16 * (i % 8) }, () => random.integer(model.vocabularySize)),
);
const merging = { device, model, parents, base: BASE, experts: [] };
const held = await holdMerge(merging, { method: "passthrough", model: BASE }, { precision });
let ours: number[][] = [];
const own = (): Promise<Timing> =>
  timed(async () => {
    const ids = prompts.map((prompt) => Int32Array.from(prompt));
    const added = await generateTokens(held, ids, { maxNewTokens, endIds: new Set() });
    ours = added.map((found) => [...found]);
  });

const scratch = await mkdtemp(join(tmpdir(), "bench-"));
const file = join(scratch, "prompts.json");
await writeFile(file, JSON.stringify(prompts));
const program = join(import.meta.dirname, "torch-texts.py");
const child = spawn(values.python, [program, folder, file, values.tokens, precision, values.threads], {
  stdio: ["pipe", "pipe", "ignore"],
});
const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
const next = async (): Promise<{ name: string; added: number[][] } & Timing> =>
  JSON.parse(String((await lines.next()).value)) as { name: string; added: number[][] } & Timing;
try {
  const { name } = await next();
  let theirs: number[][] = [];
  const reference = async (): Promise<Timing> => {
    child.stdin.write("\n");
    const { added, wall, cpu } = await next();
    theirs = added;
    return { wall, cpu };
  };
  const timings = await interleave({ own, reference }, Number(values.repetitions));
  const count = texts * maxNewTokens;
  const row = (title: string, { wall, cpu }: Timing): string[] => [
    title,
    wall.toFixed(2),
    cpu.toFixed(2),
    (count / wall).toFixed(1),
    (count / cpu).toFixed(1),
  ];
  const header = ["", "wall s", "CPU s", "tokens/s", "tokens/CPU-s"];
  console.log(
    `${texts} texts of 64 to 176 tokens, ${maxNewTokens} new ones each, ${precision}; the same ids: ${same(ours, theirs)}`,
  );
  console.log(alignedText({ header, rows: [row(device.name, timings.own), row(name, timings.reference)] }));
} finally {
  child.kill();
  held.free();
  await rm(scratch, { recursive: true });
}

/** How many texts are the same. */
function same(a: readonly number[][], b: readonly number[][]): string {
  return `${a.filter((ids, i) => String(ids) === String(b[i])).length} of ${a.length}`;
}
