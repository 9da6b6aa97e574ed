/**
 * How fast the engines that run on this machine are, side by side, in f32 on the shipped demo:
 *
 *     npx tsx bench/engines.ts [--repetitions 5]
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { engines } from "../src/device/engine-names.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import { interleave, type Timing } from "./interleave.ts";
import { machine } from "./machine.ts";
import { measures, type Measure, type Opened } from "./measures.ts";

/** An engine that runs here. */
interface Engine {
  readonly engine: string;
  readonly opened: Exclude<Opened, { missing: string }>;
  readonly measure: (measure: Measure) => Promise<Timing>;
  readonly stop: () => void;
}

const { values } = parseArgs({ options: { repetitions: { type: "string", default: "5" } } });
console.log(machine());
const running: Engine[] = [];
for (const engine of engines) {
  const started = await start(engine);
  if ("missing" in started) console.log(`${engine}: ${started.missing}`);
  else running.push(started);
}
const works = running.flatMap(({ engine, measure }) =>
  measures.map((name) => [`${engine} ${name}`, () => measure(name)] as const),
);
const timings = await interleave(Object.fromEntries(works), Number(values.repetitions));
for (const { stop } of running) stop();
for (const { engine, opened } of running) console.log(`${engine}: ${opened.name}`);
console.log(alignedText({ header: header(), rows: rows() }));

async function start(engine: string): Promise<Engine | { readonly missing: string }> {
  const child = fork(join(import.meta.dirname, "engine-process.ts"), [engine]);
  const receive = async (): Promise<unknown> => (await once(child, "message"))[0];
  const opened = (await receive()) as Opened;
  if ("missing" in opened) return opened;
  const measure = async (name: Measure): Promise<Timing> => {
    child.send(name);
    return (await receive()) as Timing;
  };
  return { engine, opened, measure, stop: () => child.kill() };
}

function header(): string[] {
  const reference = `${running[0]?.engine} = 1`;
  return ["", "GFLOP/s", "tokens/s", reference, "GFLOP/CPU-s", "tokens/CPU-s", reference];
}

/** A line for each measure and engine: first by the clock on the wall, then by CPU time. */
function rows(): string[][] {
  return measures.flatMap((name) =>
    running.map(({ engine, opened }) => {
      const cells = (clock: keyof Timing): string[] => {
        const seconds = timings[`${engine} ${name}`]![clock];
        const speed = (own: typeof opened, seconds: number): number => own.flop[name] / seconds / 1e9;
        const reference = speed(running[0]!.opened, timings[`${running[0]!.engine} ${name}`]![clock]);
        return [
          speed(opened, seconds).toFixed(1),
          name === "scoring the demo" ? (opened.tokens / seconds).toFixed(0) : "",
          (speed(opened, seconds) / reference).toFixed(2),
        ];
      };
      return [`${name}, ${engine}`, ...cells("wall"), ...cells("cpu")];
    }),
  );
}
