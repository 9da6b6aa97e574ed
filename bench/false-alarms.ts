/**
 * How often a whole run calls its winner different from another model where no merge is better: experts are a base and
 * noise, right answers are drawn at random, and the models hardly prefer any answer, so that none gains by being unsure.
 * Says beside it how often single tests at 5 % would have called something.
 *
 *     npx tsx bench/false-alarms.ts [--runs 200] [--kind "not named"]
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadExperiment } from "../src/experiment/experiment-file.ts";
import { writeFileAtomic } from "../src/files/atomic-file.ts";
import { judgeModels } from "../src/report/judgement.ts";
import { alignedText } from "../src/report/table.ts";
import { launchRun } from "../src/run/run-experiment.ts";
import { RandomStream } from "../src/tensor/random.ts";
import { writeTinyModel } from "../test/tiny-model.ts";

const { values: options } = parseArgs({
  options: { runs: { type: "string", default: "200" }, kind: { type: "string" } },
});
const RUNS = Number(options.runs);

const EXPERTS = ["one", "two", "three"] as const;
const TASKS = { first: 1, second: 2 } as const;
/** Facts of a task on each side. */
const FACTS = 40;
const tokenizer = join(import.meta.dirname, "..", "test", "fixtures", "tasks", "tokenizers", "byte-level");

/** How rows share facts: how many ask for one, and whether they say so. */
const kinds = {
  "independent rows": { rowsPerFact: 1, named: false },
  "3 rows of each fact, named by group": { rowsPerFact: 3, named: true },
  "3 rows of each fact, not named": { rowsPerFact: 3, named: false },
} as const;

type Kind = (typeof kinds)[keyof typeof kinds];

/** Answers of two tokens, the first of which is the same: answers of fewer tokens would be likelier in every model. */
const ANSWERS = "a c e f g h j k o p q r u v x y z 0 1 2 3 4 5 6 7 8 9".split(" ");

/** Rows of one side: each fact has a subject, four answers and a right one among them, drawn at random. */
function rows(stream: RandomStream, side: string, { rowsPerFact, named }: Kind): object[] {
  const word = (): string => stream.sample(ANSWERS, 4).join("");
  return Array.from({ length: FACTS }, (_, fact) => {
    const subject = word();
    const answer_choices = stream.sample(ANSWERS, 4);
    const label = stream.integer(4);
    return Array.from({ length: rowsPerFact }, () => ({
      input: `${side}: ${word()} saw ${subject}.\nQuestion: ${subject}?\nAnswer:`,
      target: answer_choices[label],
      answer_choices,
      label,
      ...(named && { group: `${side} ${fact}` }),
    }));
  }).flat();
}

async function writeRows(path: string, written: readonly object[]): Promise<void> {
  await writeFileAtomic(path, written.map((row) => `${JSON.stringify(row)}\n`).join(""));
}

async function writeExperiment(folder: string, seed: number, kind: Kind): Promise<string> {
  const shared = {
    tokenizer,
    seed,
    edit: (name: string, values: Float32Array): void => {
      if (name === "lm_head.weight") for (const i of values.keys()) values[i]! *= 0.02;
    },
  };
  await writeTinyModel(join(folder, "base"), shared);
  for (const [i, name] of EXPERTS.entries()) {
    await writeTinyModel(join(folder, name), { ...shared, perturbed: { seed: 10 * seed + i, by: 0.2 } });
  }
  await mkdir(join(folder, "rows"));
  for (const [task, number] of Object.entries(TASKS)) {
    const stream = RandomStream.of(seed, "rows", number);
    for (const side of ["search", "guard"]) {
      await writeRows(join(folder, "rows", `${task}.${side}.jsonl`), rows(stream, `${task} ${side}`, kind));
    }
  }
  const path = join(folder, "null.yaml");
  const tasks = Object.keys(TASKS).map((task) => [
    task,
    { rows: `rows/${task}.search.jsonl`, guard: `rows/${task}.guard.jsonl` },
  ]);
  const experiment = {
    base: "base",
    experts: EXPERTS,
    space: { method: "task_arithmetic", groups: "all", depth: "constant" },
    tasks: Object.fromEntries(tasks) as object,
    search: { algorithm: "cma-es", population: 6, rowFraction: 0.5 },
    budget: { evaluations: 21 },
    precision: "f32",
    seed,
  };
  // JSON is YAML.
  await writeFileAtomic(path, JSON.stringify(experiment));
  return path;
}

/** Whether a run's verdict calls anything different, and whether single tests would have. */
async function run(seed: number, kind: Kind): Promise<{ readonly verdict: boolean; readonly singly: boolean }> {
  const folder = await mkdtemp(join(tmpdir(), "false-alarms-"));
  try {
    const experiment = await loadExperiment(await writeExperiment(folder, seed, kind));
    const { verdict } = await launchRun(experiment, join(folder, "run"));
    if (!verdict) throw new Error("a run without a verdict");
    const judged = [...judgeModels(verdict.models, 1).values()].flatMap(({ combined, tasks }) => [
      combined,
      ...Object.values(tasks),
    ]);
    return {
      verdict: judged.some(({ judgement }) => judgement !== "neither"),
      singly: judged.some(({ pValue }) => pValue < 0.05),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function share(alarms: number): string {
  return `${alarms} of ${RUNS}, ${((100 * alarms) / RUNS).toFixed(1)} %`;
}

async function measure([name, kind]: readonly [string, Kind]): Promise<string[]> {
  const outcomes = [];
  for (let seed = 1; seed <= RUNS; seed++) outcomes.push(await run(seed, kind));
  return [
    name,
    share(outcomes.filter(({ verdict }) => verdict).length),
    share(outcomes.filter(({ singly }) => singly).length),
  ];
}

const measured = [];
for (const kind of Object.entries(kinds)) {
  if (options.kind === undefined || kind[0].includes(options.kind)) measured.push(await measure(kind));
}
console.log(
  alignedText({ header: ["", "verdicts that name a difference", "single tests at 5 % would have"], rows: measured }),
);
