/** What programs of others do with the package; compiled against it as strictly as TypeScript can, and run. */
import { readFile } from "node:fs/promises";
import {
  type Experiment,
  launchRun,
  loadExperiment,
  loadSpace,
  type MergeRecipe,
  openExperiment,
  readJournal,
  readRows,
  readRunView,
  type Recipe,
  type RunEvent,
  UserError,
} from "evomerge";

const demo: Experiment = await loadExperiment("demo");
const experiment: Experiment = { ...demo, space: await loadSpace("global"), precision: "f32" };
const events: RunEvent[] = [];

// Genes to a recipe, recipes to scores and a model.
await using opened = await openExperiment(experiment);
const { genome, tasks } = opened;
const point = genome.start.map((value, i) => (i === 0 ? 1 : value));
const decoded: Recipe = genome.decode(point);
const given: MergeRecipe = opened.recipe({
  method: "task_arithmetic",
  parameters: { weight: { craft: 0.7, nature: [0.2, 0.6], news: { attention: 1, rest: 0.5 } } },
});
const scored = await opened.score([decoded, given, { method: "passthrough", model: "base" }], { limit: 4 });
const own = await readRows("rows.jsonl");
const [onOwnRows] = await opened.score([given], { rows: { mine: own } });
const { model, bytes } = await opened.merge(given, "merged");
const written: unknown = JSON.parse(await readFile(`${model}/recipe.json`, "utf8"));

/** The sentence of a refusal. */
async function refusal(asked: () => Promise<unknown>): Promise<string> {
  try {
    await asked();
    return "nothing was refused";
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

const refusals = [
  await refusal(async () => genome.decode(new Float64Array(1))),
  await refusal(async () => genome.decode(genome.start.map(() => 2))),
  await refusal(async () =>
    opened.recipe({ method: "task_arithmetic", parameters: { weight: { craft: 1, nature: 1, mews: 1 } } }),
  ),
  await refusal(() => opened.score([{ method: "passthrough", model: "bse" }])),
  await refusal(() => opened.score([{ ...given, parameters: {} }])),
  await refusal(() => opened.score([given], { rows: { mine: [] } })),
];

// A run, followed as it goes on and read behind it.
const outcome = await launchRun({ ...experiment, budget: { evaluations: 8 } }, "run", {
  onEvent: (event) => events.push(event),
});
const kinds = new Set(readJournal("run").records.map(({ type }) => type));
const generations = events.flatMap((event) => (event.type === "generation" ? [event.best] : []));
const view = await readRunView("run");

// oxlint-disable-next-line no-console
console.log(
  JSON.stringify({
    genes: genome.genes.map(({ name, range }) => ({ name, low: range[0] })),
    rows: tasks.map(({ name, search }) => [name, search.length]),
    losses: scored.map((one) => one.tasks["xsum"]?.loss),
    own: [own.length, onOwnRows?.tasks["mine"]?.rows, onOwnRows?.rows["mine"]?.[0]?.correct],
    bytes,
    isWritten: JSON.stringify(written) === JSON.stringify(given),
    refusals,
    generations,
    kinds: [...kinds],
    winner: outcome.winner.name,
    view: view.name,
  }),
);
