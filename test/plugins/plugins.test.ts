import { appendFile, copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { readRunView } from "../../src/report/write-report.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import type { RunOptions } from "../../src/run/run-options.ts";
import { refusal } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, traces } from "../tiny-experiment.ts";
import { writeExample } from "./votes-experiment.ts";

/** A module of an optimizer whose `create` returns what an expression of JavaScript says. */
function optimizer(create: string): string {
  return `export default { name: "bad", optimizers: { one: { population: () => 2, beside: "mean", usesGradients: false, create: ({ start }) => (${create}) } } };`;
}

/** One that asks for what an expression says. */
function points(ask: string): string {
  return optimizer(
    `{ generation: 0, candidates: 3, converged: false, recommend: () => start, tell() {}, ask: () => ${ask} }`,
  );
}

/** A module of a format with these members. */
function format(text: string): string {
  return `export default { name: "bad", tasks: { one: { columns: ["question"], ${text} } } };`;
}

/** What a search has asked for, generation by generation. */
function askedIn(run: string): string[] {
  return recorded(run, "ask").map(({ points: { checksum } }) => checksum);
}

describe("the examples of plugins", () => {
  test("search by their rows, losses and points, are resumed to the same bits, and exported", async () => {
    const folder = await temporaryFolder();
    const experiment = await loadExperiment(await writeExample(folder));
    expect(experiment.plugins?.map(({ name }) => name)).toEqual(["annotators", "coordinates"]);
    const run = join(folder, "run");
    const { winner, generations } = await launchRun(experiment, run);
    expect(generations).toBe(2);
    expect(Number.isFinite(winner.loss)).toBe(true);
    expect(winner.scores["votes"]?.accuracy).toBeTypeOf("number");
    const [plan] = recorded(run, "plan");
    expect(plan).toMatchObject({ algorithm: "coordinates/search", candidates: 9 });
    const [start] = recorded(run, "start");
    expect(start?.identity["plugin annotators"]).toMatch(/^[0-9a-f]{64}$/);
    expect(start?.versions["plugin coordinates"]).toBe("1.0.0");

    // Half of it, resumed with what the whole had.
    const half = join(folder, "half");
    await launchRun({ ...experiment, budget: { evaluations: 9 } }, half);
    const { generations: all } = await resumeRun(half, { budget: { evaluations: 18 } });
    expect(all).toBe(2);
    expect(askedIn(half)).toEqual(askedIn(run));
    const before = traces(run);
    await resumeRun(run);
    expect(traces(run)).toEqual(before);
    const { weightsDigest } = await exportRun(run);
    expect(weightsDigest).toMatch(/^[0-9a-f]{64}$/);
  });

  test("take gradients of a plugin's loss", async () => {
    const folder = await temporaryFolder();
    const search = { algorithm: "gradient-walk", rowFraction: 0.5 };
    const experiment = await loadExperiment(
      await writeExample(folder, { plugins: ["./annotators.mjs"], search, budget: { evaluations: 40 } }),
    );
    const run = join(folder, "run");
    await launchRun(experiment, run);
    const losses = recorded(run, "result").map(({ losses: [loss = NaN] }) => loss);
    expect(losses).toHaveLength(10);
    expect(losses.every(Number.isFinite)).toBe(true);
  });
});

test("workers, who are sent losses as data, take no task of a plugin", async () => {
  const folder = await temporaryFolder();
  const experiment = await loadExperiment(await writeExample(folder));
  const elsewhere: RunOptions["elsewhere"] = {
    engine: { name: "elsewhere", kind: "cpu", fastestProducts: "f32", concurrency: 1 },
    why: "a test says so",
    scorer: () => {
      throw new Error("nothing is to be scored");
    },
  };
  await expect(launchRun(experiment, join(folder, "run"), { elsewhere })).rejects.toThrow(
    "tasks.votes.format: workers know no format of a plugin, found annotators/votes; run without workers",
  );
});

describe("a plugin that was changed", () => {
  test("is refused by resume and export before any of it runs, and a run is looked at without it", async () => {
    const folder = await temporaryFolder();
    const experiment = await loadExperiment(await writeExample(folder));
    const run = join(folder, "run");
    await launchRun(experiment, run);
    const mark = join(folder, "it ran");
    await appendFile(
      join(folder, "coordinates.mjs"),
      `\nimport { writeFileSync } from "node:fs";\nwriteFileSync(${JSON.stringify(mark)}, "");\n`,
    );
    const sentence = /run: plugin coordinates: expected [0-9a-f]{12} as when the run began, found [0-9a-f]{12} in /;
    await expect(resumeRun(run)).rejects.toThrow(sentence);
    await expect(exportRun(run)).rejects.toThrow(sentence);
    await expect(readRunView(run)).resolves.toMatchObject({ name: "run" });
    await expect(readFile(mark)).rejects.toThrow("ENOENT");
    await rm(join(folder, "coordinates.mjs"));
    await expect(resumeRun(run)).rejects.toThrow("where the run had its plugin coordinates; put it back");
  });
});

describe("an experiment with plugins", () => {
  test("finds them in a package that is installed beside it, and not those of another", async () => {
    const folder = await temporaryFolder();
    const path = await writeExample(folder, { plugins: ["votes-of-people", "./coordinates.mjs"] });
    const own = join(folder, "node_modules", "votes-of-people");
    await mkdir(own, { recursive: true });
    await writeFile(
      join(own, "package.json"),
      JSON.stringify({ name: "votes-of-people", type: "module", exports: "./index.js" }),
    );
    await copyFile(join(folder, "annotators.mjs"), join(own, "index.js"));
    const { plugins } = await loadExperiment(path);
    expect(plugins?.map(({ path: file }) => file.slice(folder.length))).toEqual([
      "/node_modules/votes-of-people/index.js",
      "/coordinates.mjs",
    ]);
    const other = await temporaryFolder();
    await expect(loadExperiment(await writeExample(other, { plugins: ["./coordinates.mjs"] }))).rejects.toThrow(
      'tasks.votes.format: expected a format of a plugin, which the key plugins names, found "annotators/votes"',
    );
  });

  test.each([
    [
      { search: { algorithm: "coordinates/serch" } },
      /tiny\.yaml:\d+:\d+: search\.algorithm: .*did you mean "coordinates\/search"\?/,
    ],
    [{ search: { algorithm: "cma-ess" } }, /search\.algorithm: expected auto, cma-es, .*did you mean "cma-es"\?/],
    [{ plugins: ["./none.mjs"] }, /tiny\.yaml:\d+:\d+: plugins\[0\]: .*none\.mjs/],
    [{ plugins: ["none-such"] }, /plugins\[0\]: found no package none-such that is installed for /],
    [
      { plugins: ["./coordinates.mjs", "./coordinates.mjs"] },
      /plugins: .*expected a plugin with a name of its own, found "coordinates"/,
    ],
    [{ plugins: "./coordinates.mjs" }, /plugins: expected a list, found/],
  ])("is refused at its place: %j", async (file, sentence) => {
    const folder = await temporaryFolder();
    await expect(loadExperiment(await writeExample(folder, file))).rejects.toThrow(sentence);
  });

  test.each([
    ["export default {", /plugins\[0\]: .*bad\.mjs: cannot be loaded as a plugin: /],
    ["throw new Error('\\u001B[31mno\\nway')", /cannot be loaded as a plugin: \\u001B\[31mno\\u000Away$/],
    [
      "export default { get name() { throw new Error('no name'); } };",
      /bad\.mjs: cannot be loaded as a plugin: no name$/,
    ],
    ["export const plugin = {};", /expected a plugin as its default export: default: /],
    ["export default { name: '<script>' };", /default\.name: expected a name of letters, digits/],
    ["export default { name: 'bad', merges: {} };", /expected a plugin as its default export: default: /],
    [format("row: 1"), /default\.tasks\.one\.row: expected a function/],
    [optimizer("1").replace('beside: "mean", ', ""), /default\.optimizers\.one: expected beside/],
    [optimizer("{}"), /^the optimizer bad\/one: create: expected an object with ask, tell and recommend, found/],
    [points("[]"), /^the optimizer bad\/one: ask: expected the 3 candidates that it says, found 0/],
    [
      points("[0, 0, 0].map(() => ({ point: start, wantsGradient: false, isReference: true }))"),
      /ask: expected one candidate that isReference, found 3/,
    ],
    [
      points("[0, 1, 2].map((i) => ({ point: start.map(() => i), wantsGradient: false, isReference: i === 2 }))"),
      /ask: expected numbers from 0 to 1, found 2/,
    ],
    [points("{ throw new Error('out of ideas') }"), /^the optimizer bad\/one: ask: out of ideas/],
    [format("row: () => { throw new Error('no question') }"), /votes\.jsonl:1: the format bad\/one: no question/],
    [
      format("row: () => ({ context: 'a', answers: [] })"),
      /votes\.jsonl:1: the format bad\/one: it made of it .*answers: /,
    ],
    [format("row: () => ({ context: 'a', answers: ['b', 'c'], label: 2 })"), /expected a label of one of the answers/],
    [
      format(
        "row: ({ question }) => ({ context: question, answers: ['b', 'c'] }), loss: () => ({ loss: NaN, derivatives: [0, 0] })",
      ),
      /^the format bad\/one: loss: expected a finite loss, found NaN/,
    ],
    [
      format(
        "row: ({ question }) => ({ context: question, answers: ['b', 'c'] }), loss: () => ({ loss: 1, derivatives: [0] })",
      ),
      /loss: expected 2 finite derivatives, one for each answer, found \[ 0 \]/,
    ],
    [
      format("row: ({ question }) => ({ context: question, answers: ['b', 'c'] }), isRight: () => 1"),
      /isRight: expected true or false, found 1/,
    ],
    [format("row: () => 1, metrics: { one: 1 }"), /default\.tasks\.one\.metrics\.one: expected a function/],
    [
      format("row: () => 1, metrics: { accuracy: () => 1 }"),
      /metrics: expected names of letters, .* and none of loss, accuracy, rows, found 'accuracy'/,
    ],
    [format("row: () => 1, metrics: { '\\u001B[2J': () => 1 }"), /expected names of .*, found '\\x1B\[2J'/],
    [format("row: () => 1, metrics: { ['__proto__']: () => 1 }"), /expected names of .*, found '__proto__'/],
    [
      format("row: ({ question }) => ({ context: question, answers: ['b', 'c'] }), metrics: { one: () => NaN }"),
      /^the format bad\/one: metrics\.one of row ".*Where\?\\nAnswer:": expected a finite number, found NaN$/,
    ],
    [
      format("row: ({ question }) => ({ context: question, answers: ['b'] }), metrics: { one: async () => 1 }"),
      /metrics\.one of row ".*": expected a finite number, found \[Promise\]/,
    ],
  ])("is told what is wrong with the plugin %s", async (text, sentence) => {
    const folder = await temporaryFolder();
    const isTask = text.includes("tasks:");
    const path = await writeExample(folder, {
      plugins: ["./bad.mjs", ...(isTask ? [] : ["./annotators.mjs"])],
      ...(isTask && { tasks: { votes: { rows: "votes.jsonl", format: "bad/one" } } }),
      search: isTask ? {} : { algorithm: "bad/one" },
    });
    await writeFile(join(folder, "bad.mjs"), text);
    const run = async (): Promise<unknown> => launchRun(await loadExperiment(path), join(folder, "run"));
    await expect(refusal(run())).resolves.toMatch(sentence);
  });
});
