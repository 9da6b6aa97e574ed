/**
 * How fast merged candidates are scored, against the speed of the engine's own matrix products in the same minutes:
 *
 *     npx tsx bench/scoring.ts [--engine ggml|tfjs|tfjs-node|tfjs-node-gpu] [--precision f32|bf16|mixed] [--repetitions 5]
 *
 * For the shipped demo, whose products are small, and for a model of random weights, whose products are not.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadExperiment } from "../src/experiment/experiment-file.ts";
import { productDtypes } from "../src/experiment/precision.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import { demoRows, longRows } from "./demo-rows.ts";
import { openGeneration, type Generation, type Setting } from "./generation.ts";
import { interleave, timed, type Timing } from "./interleave.ts";
import { writeLargeModel } from "./large-model.ts";
import { machine } from "./machine.ts";
import { uploadProducts } from "./products.ts";

const { values } = parseArgs({
  options: {
    engine: { type: "string", default: "auto" },
    precision: { type: "string", default: "auto" },
    repetitions: { type: "string", default: "5" },
  },
});
const demo = await loadExperiment("experiments/demo.yaml");
const setting = { ...demo, engine: values.engine, precision: values.precision } as Setting;

console.log(machine());
{
  await using generation = await openGeneration(setting, await demoRows(demo, 0.125), 14);
  console.log(await measure("the demo, hidden size 128", generation));
}
const folder = await mkdtemp(join(tmpdir(), "bench-"));
try {
  const names = ["base", ...demo.experts.map(({ name }) => name)];
  for (const [seed, name] of names.entries()) await writeLargeModel(join(folder, name), demo.base, seed);
  const experts = demo.experts.map(({ name }) => ({ name, path: join(folder, name) }));
  const rows = longRows(await demoRows(demo, 0.25), 6);
  await using generation = await openGeneration({ ...setting, base: join(folder, "base"), experts }, rows, 2);
  console.log(await measure("random weights, hidden size 768", generation));
} finally {
  await rm(folder, { recursive: true });
}

/** What was measured, a line each, and how the lines compare. */
async function measure(title: string, { workspace, candidates, work, score, merge }: Generation): Promise<string> {
  const { device, precision } = workspace;
  const upload = { dtype: productDtypes(precision).signal, flop: 2e10 };
  const own = await uploadProducts(device, work.products, upload);
  const large = await uploadProducts(device, [{ rows: 1024, in: 1024, out: 1024 }], upload);
  const timings = await interleave(
    {
      own: () => timed(own.multiply),
      large: () => timed(large.multiply),
      merge: () => timed(merge),
      score: () => timed(score),
    },
    Number(values.repetitions),
  );
  own.free();
  large.free();

  // A machine shared with other work repeats CPU time; a GPU's time is known from the clock on the wall only.
  const busy = ({ wall, cpu }: Timing): number => (device.kind === "cpu" ? cpu : wall);
  const { rows, in: width, out } = work.products.toSorted((a, b) => b.out - a.out)[0]!;
  const lines = [
    line(`products of a layer, up to [${rows}, ${width}] x [${width}, ${out}]`, timings.own, own.flop),
    line("products [1024, 1024] x [1024, 1024]", timings.large, large.flop),
    line(`merging ${candidates} candidates`, timings.merge),
    line(`scoring ${candidates} candidates`, timings.score, candidates * work.flop, candidates * work.tokens),
  ];
  const header = ["", "wall s", "CPU s", "GFLOP/s", "GFLOP/CPU-s", "tokens/s", "tokens/CPU-s"];
  const share = (flop: number, timing: Timing): string =>
    percent((candidates * work.flop * busy(timing)) / busy(timings.score) / flop);
  return `
${title}: ${device.name}, ${precision}; a candidate reads ${work.tokens} tokens, and ${percent(work.computedTokens / work.tokens - 1)} padding
${alignedText({ header, rows: lines })}
scoring runs at ${share(own.flop, timings.own)} of the products of a layer, ${share(large.flop, timings.large)} of the large ones; merging takes ${percent(busy(timings.merge) / busy(timings.score))} of it`;
}

function line(name: string, timing: Timing, flop?: number, tokens?: number): string[] {
  const clocks = [timing.wall, timing.cpu];
  return [
    name,
    ...clocks.map((seconds) => seconds.toFixed(2)),
    ...clocks.map((seconds) => (flop === undefined ? "" : (flop / seconds / 1e9).toFixed(1))),
    ...clocks.map((seconds) => (tokens === undefined ? "" : (tokens / seconds).toFixed(0))),
  ];
}

function percent(part: number): string {
  return `${(100 * part).toFixed(0)} %`;
}
