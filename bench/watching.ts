/**
 * What `run --watch` with an open page costs a search: the shipped experiment alone and watched in turn, by a Chromium on this machine. Told are
 * the seconds of the search by the clock, and the CPU-seconds of the run, of the process that serves the page and of the browser.
 *
 *     npx tsx bench/watching.ts [pairs] [evaluations]
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { mean } from "simple-statistics";
import { readJournal } from "../src/journal/journal.ts";
import { machine } from "./machine.ts";

const pairs = Number(process.argv[2] ?? 3);
const evaluations = process.argv[3] ?? "160";

/** Of the clock in which Linux tells what processes have computed. */
const TICKS = 100;

interface Costs {
  readonly searchSeconds: number;
  readonly run: number;
  readonly watch: number;
  readonly browser: number;
}

/** What /proc says of every process: who made it, and its CPU-seconds. */
function processes(): ReadonlyMap<number, { readonly parent: number; readonly seconds: number }> {
  const found = new Map<number, { parent: number; seconds: number }>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const fields = readFileSync(`/proc/${name}/stat`, "utf8").split(") ")[1]!.split(" ");
      found.set(Number(name), {
        parent: Number(fields[1]),
        seconds: (Number(fields[11]) + Number(fields[12])) / TICKS,
      });
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

/** Follows what a process and those that it makes compute, until it ends. */
class Meter {
  readonly #pid: number;
  readonly #seconds = new Map<number, number>();

  constructor(pid: number) {
    this.#pid = pid;
  }

  look(): void {
    const all = processes();
    const isOf = (pid: number): boolean => pid === this.#pid || (all.has(pid) && isOf(all.get(pid)!.parent));
    for (const [pid, { seconds }] of all) if (isOf(pid)) this.#seconds.set(pid, seconds);
  }

  get own(): number {
    return this.#seconds.get(this.#pid) ?? 0;
  }

  get others(): number {
    return [...this.#seconds].reduce((sum, [pid, seconds]) => sum + (pid === this.#pid ? 0 : seconds), 0);
  }
}

async function addressIn({ stderr }: ChildProcess): Promise<string> {
  for (let told = ""; ;) {
    const [chunk] = (await once(stderr!, "data")) as [Buffer];
    told += chunk.toString();
    const [address] = /http:\/\/127\.0\.0\.1:\d+\/[\w-]+\//.exec(told) ?? [];
    if (address !== undefined) return address;
  }
}

async function costsOf(run: string, isWatched: boolean): Promise<Costs> {
  const args = ["src/cli/main.ts", "run", "demo", "--evaluations", evaluations, "--out", run];
  const child = spawn(process.execPath, ["--import", "tsx", ...args, ...(isWatched ? ["--watch"] : [])]);
  const ended = once(child, "exit");
  const server = isWatched
    ? await chromium.launchServer({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] })
    : undefined;
  const [own, browser] = [new Meter(child.pid!), new Meter(server?.process().pid ?? -1)];
  if (server) {
    const page = await (await chromium.connect(server.wsEndpoint())).newPage();
    await page.goto(await addressIn(child));
  }
  child.stdout.resume();
  child.stderr.resume();
  const looking = setInterval(() => {
    own.look();
    if (server) browser.look();
  }, 100);
  await ended;
  clearInterval(looking);
  await server?.close();
  const { records } = readJournal(run);
  const at = (type: string): number => {
    const record = records.findLast((one) => one.type === type);
    return record && "elapsedMs" in record ? record.elapsedMs : Number.NaN;
  };
  const searchSeconds = (at("result") - at("plan")) / 1000;
  return { searchSeconds, run: own.own, watch: own.others, browser: browser.own + browser.others };
}

const folder = await mkdtemp(join(tmpdir(), "watching-"));
try {
  process.stdout.write(`${machine()}\n`);
  const costs: { readonly isWatched: boolean; readonly own: Costs }[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    for (const isWatched of pair % 2 === 0 ? [false, true] : [true, false]) {
      const own = await costsOf(join(folder, `${pair} ${isWatched}`), isWatched);
      costs.push({ isWatched, own });
      process.stderr.write(`${isWatched ? "watched" : "alone"}: ${JSON.stringify(own)}\n`);
    }
  }
  for (const isWatched of [false, true]) {
    const all = costs.filter((one) => one.isWatched === isWatched).map(({ own }) => own);
    const seconds = (part: keyof Costs): string => mean(all.map((own) => own[part])).toFixed(2);
    process.stdout.write(
      `${isWatched ? "watched" : "alone"}: search ${seconds("searchSeconds")} s; CPU-seconds of the run ${seconds("run")}, of the processes beside it ${seconds("watch")}, of the browser ${seconds("browser")}\n`,
    );
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
