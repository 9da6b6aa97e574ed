/**
 * What scoring a generation, and differentiating it, cost here and in a checkout of another commit, and how many tokens are computed
 * for those that are needed:
 *
 *     npx tsx bench/layout.ts [experiments/demo.yaml] --before FOLDER [--fraction 1] [--candidates 1] [--repetitions 5]
 *         [--engine ggml] [--precision f32] [--derivatives]
 *
 * Each is a process of its own, with the libraries of its own folder; they take turns.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { median } from "simple-statistics";
import { alignedText } from "../src/report/text/text-table.ts";
import type { Timing } from "./interleave.ts";
import type { OpenedLayout } from "./layout-process.ts";
import { machine } from "./machine.ts";

const { values, positionals } = parseArgs({
  options: {
    before: { type: "string" },
    fraction: { type: "string", default: "1" },
    candidates: { type: "string", default: "1" },
    repetitions: { type: "string", default: "5" },
    engine: { type: "string", default: "ggml" },
    precision: { type: "string", default: "f32" },
    derivatives: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const experiment = resolve(positionals[0] ?? "experiments/demo.yaml");
const here = join(import.meta.dirname, "..");
const folders = { ...(values.before && { before: resolve(values.before) }), here };

console.log(machine());
const running = await Promise.all(
  Object.entries(folders).map(async ([name, folder]) => ({ name, ...(await start(folder)) })),
);
const timings = running.map((): Timing[] => []);
for (let repetition = 0; repetition <= Number(values.repetitions); repetition += 1) {
  for (const [i, { score }] of running.entries()) {
    const timing = await score();
    // The first is to warm up.
    if (repetition > 0) timings[i]!.push(timing);
  }
}
const { name, work } = running.at(-1)!.opened;
const what = values.derivatives ? "scored and differentiated" : "scored";
console.log(`${name}, ${values.precision}: ${values.candidates} candidates of ${work.tokens} tokens, ${what}`);
console.log(
  `of the tokens that are needed, layers compute ${ratio(work.computedTokens, work.tokens)} and attention ${ratio(work.places, work.tokens)}`,
);
const rows = running.map((one, i) => {
  const cpu = median(timings[i]!.map((timing) => timing.cpu));
  const wall = median(timings[i]!.map((timing) => timing.wall));
  // Other work slows down both of two neighbours.
  const pairs = timings[i]!.map((timing, repetition) => timings[0]![repetition]!.cpu / timing.cpu);
  const tokens = Number(values.candidates) * work.tokens;
  return [one.name, wall.toFixed(2), cpu.toFixed(2), (tokens / cpu).toFixed(0), median(pairs).toFixed(2)];
});
const header = ["", "wall s", "CPU s", "tokens/CPU-s", `${running[0]!.name} = 1`];
console.log(alignedText({ header, rows }));
for (const { stop } of running) stop();

function ratio(part: number, whole: number): string {
  return (part / whole).toFixed(2);
}

async function start(
  folder: string,
): Promise<{ opened: OpenedLayout; score: () => Promise<Timing>; stop: () => void }> {
  const { fraction, candidates, engine, precision, derivatives } = values;
  const options = { folder, experiment, fraction, candidates, engine, precision, derivatives };
  const child = fork(join(import.meta.dirname, "layout-process.ts"), [JSON.stringify(options)]);
  const receive = async (): Promise<unknown> => (await once(child, "message"))[0];
  const opened = (await receive()) as OpenedLayout;
  const score = async (): Promise<Timing> => {
    child.send("score");
    return (await receive()) as Timing;
  };
  return { opened, score, stop: () => child.kill() };
}
