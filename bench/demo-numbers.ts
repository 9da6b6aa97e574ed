/**
 * Makes the numbers of the shipped experiment in README.md and experiments/demo/SEEDS.md again, in about 12 minutes on an
 * idle machine: what the shipped run prints, every model on the held-out task, and the five seeds. Run from the root.
 *
 *     npx tsx bench/demo-numbers.ts
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { markdownTable } from "../src/report/table.ts";

/** Where the README says that the run was. */
const SHOWN = "/home/me/evomerge/results/demo";
const PARENTS = ["base", "nature", "craft", "news"] as const;

const folder = await mkdtemp(join(tmpdir(), "demo-numbers-"));
const run = join(folder, "demo");

function node(...args: readonly string[]): string {
  const stdio = ["ignore", "pipe", "inherit"] as const;
  return execFileSync(process.execPath, ["--import", "tsx", ...args], { encoding: "utf8", stdio: [...stdio] });
}

function evomerge(...args: readonly string[]): string {
  return node("src/cli/main.ts", ...args);
}

/** Text with the block between two lines, which stay, put in place of what is there. */
function withBlock(text: string, [first, last]: readonly [RegExp, RegExp], block: string): string {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => first.test(line));
  const end = lines.findIndex((line, i) => i > start && last.test(line));
  if (start < 0 || end < 0) throw new Error(`README.md: no block from ${first} to ${last}`);
  return [...lines.slice(0, start), block.trimEnd(), ...lines.slice(end)].join("\n");
}

interface Scored {
  readonly accuracy: number;
  readonly accuracyNormalised: number;
}

function heldOut(model: string): Scored {
  const task = ["--task", "experiments/demo/mmlu/test.jsonl", "--format", "mmlu_continuation", "--no-description"];
  return JSON.parse(evomerge("score", model, ...task, "--json")) as Scored;
}

const printed = evomerge("run", "experiments/demo.yaml", "--export", "--out", run).replaceAll(run, SHOWN);
const scored = [...PARENTS.map((name) => heldOut(`experiments/demo/${name}`)), heldOut(join(run, "best"))];
const row = (name: string, values: readonly number[]): string[] => [
  name,
  ...values.map((value) => (value === Math.max(...values) ? `**${value.toFixed(3)}**` : value.toFixed(3))),
];
const table = markdownTable({
  header: ["", ...PARENTS, "evolved merge"],
  rows: [
    row(
      "acc",
      scored.map(({ accuracy }) => accuracy),
    ),
    row(
      "acc_norm",
      scored.map(({ accuracyNormalised }) => accuracyNormalised),
    ),
  ],
});
const readme = withBlock(
  readFileSync("README.md", "utf8"),
  [/^guard rows, which the search never saw/, /^```$/],
  printed,
);
writeFileSync("README.md", withBlock(readme, [/^\| +\| +base /, /^$/], table));
writeFileSync("experiments/demo/SEEDS.md", node("bench/demo-seeds.ts"));
execFileSync("npx", ["oxfmt", "README.md", "experiments/demo/SEEDS.md"]);
await rm(folder, { recursive: true });
