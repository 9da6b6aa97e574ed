/**
 * What a GPU does at the shapes of Llama 3 8B, beside PyTorch and transformers on the same card, in two or three minutes:
 *
 *     npx tsx bench/gpu.ts [--python <with torch and transformers>] [--out <file.json>] [--seconds 150] [--models <folder>]
 *         [--layers 32] [--experts 2] [--candidates 8] [--fraction 0.1] [--batch-tokens 16384] [--only <expression>]
 *
 * and its rehearsal on a CPU: `--backend cpu --layers 2 --hidden 256 --vocabulary 4096 --fraction 0.02 --candidates 2`. A base and experts of random weights are written to
 * a file system in memory, or to the given folder; a run that is killed leaves them there. Rows have random tokens and the lengths of 500 rows of CosmosQA and 200 of XSum; rates are taken on
 * a share of them. A line is printed as soon as it is known: seconds since the beginning, what, how much, what it took. With fewer than 32 layers, what is told of
 * the whole model is scaled by operations. An expression chooses parts of evomerge by their names; with `--only none` PyTorch is measured alone.
 */
import { mkdir, mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openGgml } from "../src/device/ggml/engine.ts";
import { llama8B, type LlamaShape, writeEightBillion } from "./eight-billion.ts";
import { measureEvomerge } from "./gpu/evomerge.ts";
import { Torch } from "./gpu/torch.ts";
import { timed } from "./interleave.ts";
import { machine } from "./machine.ts";
import { taskRows } from "./task-rows.ts";
import { Told } from "./told.ts";

const { values } = parseArgs({
  options: {
    python: { type: "string" },
    out: { type: "string" },
    seconds: { type: "string", default: "150" },
    models: { type: "string" },
    backend: { type: "string", default: "gpu" },
    layers: { type: "string", default: "32" },
    hidden: { type: "string", default: String(llama8B.hidden_size) },
    vocabulary: { type: "string", default: String(llama8B.vocab_size) },
    experts: { type: "string", default: "2" },
    candidates: { type: "string", default: "8" },
    fraction: { type: "string", default: "0.1" },
    "batch-tokens": { type: "string" },
    only: { type: "string", default: "" },
  },
});
const experts = Array.from({ length: Number(values.experts) }, (_, i) => String.fromCodePoint("a".codePointAt(0)! + i));
const hidden = Number(values.hidden);
const shape: LlamaShape = {
  num_hidden_layers: Number(values.layers),
  hidden_size: hidden,
  intermediate_size: 3.5 * hidden,
  num_attention_heads: hidden / 128,
  num_key_value_heads: Math.max(1, hidden / 512),
  vocab_size: Number(values.vocabulary),
};
const MEMORY = "/dev/shm";
const backend = values.backend === "cpu" ? "cpu" : "gpu";
// Where nothing can be measured nothing is to be written.
await (await openGgml({ backend }))[Symbol.asyncDispose]();
const told = new Told(Number(values.seconds), values.out);
const parent = values.models ?? (await roomyFolder(3.8e10));
await mkdir(parent, { recursive: true });
const folder = await mkdtemp(join(parent, "gpu-"));
try {
  console.log(machine());
  console.log(
    `Llama of ${shape.num_hidden_layers} layers, hidden size ${hidden}, base and ${experts.length} experts in ${folder}`,
  );
  const whole = taskRows(1, shape.vocab_size!);
  const rows = taskRows(Number(values.fraction), shape.vocab_size!);
  const rowsFile = join(folder, "rows.json");
  await writeFile(
    rowsFile,
    JSON.stringify(rows.map(({ context, continuations }) => [[...context], continuations.map((own) => [...own])])),
  );
  const torch = values.python === undefined ? undefined : new Torch(told, values.python, [folder, rowsFile, folder]);
  const written = await timed(async () => void (await writeEightBillion(folder, shape, experts)));
  await told.tell({ name: "models written", took: written });
  const ceilings = (await torch?.ceilings()) ?? {};
  const task = { folder, shape, experts, rows, whole, candidates: Number(values.candidates) };
  const batchTokens = values["batch-tokens"] === undefined ? undefined : Number(values["batch-tokens"]);
  const found = await measureEvomerge(told, task, { backend, batchTokens, ceilings, only: new RegExp(values.only) });
  if (found) await torch?.compare({ ...found, experts, ceilings });
  await torch?.stop();
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Where so many bytes have room, in memory if they may. */
async function roomyFolder(bytes: number): Promise<string> {
  const { bavail, bsize } = await statfs(MEMORY).catch(() => ({ bavail: 0, bsize: 0 }));
  return bavail * bsize > bytes ? MEMORY : tmpdir();
}
