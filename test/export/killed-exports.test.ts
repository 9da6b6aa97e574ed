import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTarget } from "../../src/export/target-folder.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { interrupt } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment } from "../tiny-experiment.ts";
import { contentsBelow } from "../contents-below.ts";
import { Exporter, faultsOf } from "./exporting.ts";

const SEED = 1;
/** EVOMERGE_EXPORT_KILLS asks for more, and for the moments that they fell into. */
const KILLS = Number(process.env["EVOMERGE_EXPORT_KILLS"] ?? 6);

let models: string;
/** Two runs of different winners, and their exports. */
let runs: readonly string[];
let exports: readonly string[];
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "evomerge-"));
  const experiment = await tinyExperiment(models, { file: { budget: { evaluations: 5 } } });
  runs = ["finished", "begun"].map((name) => join(models, name));
  await launchRun(experiment, runs[0]!);
  await interrupt(experiment, runs[1]!, ({ type }) => type === "planned");
  for (const run of runs) await exportRun(run);
  exports = runs.map((run) => join(run, "best"));
});
afterAll(() => rm(models, { recursive: true, force: true }));

/** Kills fall anywhere, while the written model is read back, or at the moment at which it takes its place. */
const moments = ["anywhere", "written", "replacing"] as const;

/** Waits for the moment at which the earlier export leaves its place, or for the end of the process. */
async function setAside(target: string, child: ChildProcess): Promise<void> {
  const { prefix } = await openTarget(target);
  const isSetAside = (name: string): boolean =>
    name.startsWith(prefix) && existsSync(join(dirname(target), name, "earlier"));
  while (child.exitCode === null && child.signalCode === null && !readdirSync(dirname(target)).some(isSetAside)) {
    await setImmediate();
  }
}

/** Puts things of others beside a target, under names near to those that an export uses. */
async function putBeside(target: string): Promise<readonly string[]> {
  const { prefix } = await openTarget(target);
  const hidden = [`${prefix}-notes`, `${prefix}-01234567-89ab-cdef-0123-456789abcdef`, ".model.evomerge-"];
  const names = [".earlier", ".incomplete", ".kept", ".lock"].map((end) => `model${end}`);
  for (const name of [...names, ...hidden]) {
    mkdirSync(join(dirname(target), name, "new"), { recursive: true });
    for (const file of ["SHA256SUMS", "new/config.json"]) writeFileSync(join(dirname(target), name, file), "mine");
  }
  return [...names, ...hidden];
}

/** What is wrong with the export that was at a target, whether it is there or set aside; nothing while it is whole. */
async function faultsAt(target: string): Promise<readonly string[]> {
  if (existsSync(target)) return faultsOf(target);
  const { prefix } = await openTarget(target);
  const aside = readdirSync(dirname(target))
    .filter((name) => name.startsWith(prefix))
    .map((name) => join(dirname(target), name, "earlier"))
    .filter((path) => existsSync(path));
  return aside.length === 1 ? faultsOf(aside[0]!) : [`${aside.length} exports are set aside`];
}

describe("exports", () => {
  test(
    `killed at ${KILLS} random moments leave the earlier export whole, and what is beside it alone`,
    async () => {
      const target = join(await temporaryFolder(), "model");
      const beside = await putBeside(target);
      const before = contentsBelow(dirname(target));
      let next = new Exporter();
      const start = async (run: string, onLine?: (line: string, child: Exporter) => void): Promise<string> => {
        const exporter = next;
        next = new Exporter();
        return exporter.export(run, target, (line) => onLine?.(line, exporter));
      };
      const times: Record<string, number> = {};
      expect(await start(runs[0]!)).toBe("exported");
      expect(await start(runs[0]!, (line) => (times[line] = performance.now()))).toBe("exported");
      const random = RandomStream.of(SEED, "kills");
      const seen: Record<string, number> = {};
      for (let kills = 0, round = 0; kills < KILLS; round += 1) {
        const moment = moments[round % 3]!;
        const after = moment === "written" ? "merged" : "begins";
        const span = moment === "replacing" ? 4 : times["exported"]! - times[after]!;
        const ms = random.uniform() * span;
        const end = await start(runs[round % 2]!, (line, { child }) => {
          if (line !== after) return;
          const ready = moment === "replacing" ? setAside(target, child) : Promise.resolve();
          void ready.then(() => setTimeout(() => child.kill("SIGKILL"), ms));
        });
        const said = `seed ${SEED}, round ${round}: ${end}, ${ms.toFixed(1)} ms, ${moment}`;
        expect(end, said).toMatch(/^(killed|exported)$/);
        if (end === "killed") kills += 1;
        expect(await faultsAt(target), said).toEqual([]);
        const found = contentsBelow(dirname(target));
        expect(
          Object.entries(before).filter(([path, content]) => found[path] !== content),
          said,
        ).toEqual([]);
        const state = end === "killed" ? stateOf(dirname(target)) : end;
        seen[state] = (seen[state] ?? 0) + 1;
      }
      if (process.env["EVOMERGE_EXPORT_KILLS"]) process.stdout.write(`${JSON.stringify(seen)}\n`);
      expect(await start(runs[1]!)).toBe("exported");
      expect(contentsBelow(target)).toEqual(contentsBelow(exports[1]!));
      expect(readdirSync(dirname(target)).toSorted()).toEqual([...beside, "model"].toSorted());
    },
    600_000 + KILLS * 60_000,
  );
});

/** How far a killed export had come. */
function stateOf(folder: string): string {
  const paths = Object.keys(contentsBelow(folder));
  const has = (pattern: RegExp): boolean => paths.some((path) => pattern.test(path));
  if (has(/\/earlier\//)) return has(/^model\//) ? "replaced" : "set aside";
  if (has(/\/new\/SHA256SUMS$/)) return "written";
  if (has(/\/new\/.*safetensors/)) return "being written";
  return has(/-[0-9]+-[0-9a-f-]{36}\.lock$/) ? "locked" : "nothing begun";
}
