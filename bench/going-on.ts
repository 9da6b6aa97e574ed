/**
 * What a second search finds that begins at a first one's winner, or with its distribution, beside one that begins anew, at
 * equal evaluations. By CMA-ES on the demo, and by gradient.
 *
 *     npx tsx bench/going-on.ts [seeds]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launchRun, loadExperiment, type Experiment, withOverrides } from "../src/index.ts";
import { loadSpace } from "../src/space/spaces.ts";

const seeds = Number(process.argv[2] ?? 3);
const folder = await mkdtemp(join(tmpdir(), "going-on-"));
const demo = await loadExperiment("experiments/demo.yaml");
const byEvolution: Experiment = {
  ...demo,
  space: await loadSpace("search-spaces/depth-curves.yaml"),
  search: { ...demo.search, algorithm: "cma-es", rowFraction: 0.2 },
};

/** The combined loss of the best that a run has found, on all search rows and on the guard rows. */
async function run(name: string, experiment: Experiment, evaluations: number): Promise<readonly [number, number]> {
  const { winner, verdict } = await launchRun({ ...experiment, budget: { evaluations } }, join(folder, name));
  const judged = verdict?.models.find(({ kind }) => kind === "winner")?.loss ?? Number.NaN;
  process.stderr.write(`${name}: ${winner.loss.toFixed(4)}, guard ${judged.toFixed(4)}\n`);
  return [winner.loss, judged];
}

function told(what: string, all: readonly (readonly [number, number])[]): void {
  const mean = (side: 0 | 1): string => (all.reduce((sum, own) => sum + own[side], 0) / all.length).toFixed(3);
  process.stdout.write(`${what}: ${mean(0)} on the search rows, ${mean(1)} on the guard rows\n`);
}

try {
  told("cma-es, 300 evaluations", [await run("first", byEvolution, 300)]);
  const from = join(folder, "first");
  for (const take of [undefined, "winner", "distribution"] as const) {
    const found: (readonly [number, number])[] = [];
    for (let seed = 2; seed < 2 + seeds; seed++) {
      const seeded = withOverrides(byEvolution, { seed, ...(take && { from, take }) });
      found.push(await run(`${take ?? "anew"} ${seed}`, seeded, 150));
    }
    told(take ? `150 more, from its ${take}` : "150 evaluations anew", found);
  }
  told("gradient-walk, 40 evaluations", [await run("walk", demo, 40)]);
  told("40 more, from its winner", [await run("on", withOverrides(demo, { from: join(folder, "walk") }), 40)]);
  told("80 evaluations anew", [await run("walk 80", demo, 80)]);
} finally {
  await rm(folder, { recursive: true, force: true });
}
