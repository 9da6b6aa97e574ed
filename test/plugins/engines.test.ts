import { appendFile, copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { input, scale } from "../../src/device/expression.ts";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { openPluginEngine } from "../../src/plugins/plugin-engine.ts";
import { planExperiment } from "../../src/plan/plan-experiment.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { describeEngine } from "../device/engine-contract.ts";
import { tolerances } from "../device/tolerances.ts";
import { refusal } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, traces, writeTinyExperiment } from "../tiny-experiment.ts";

const example = join(import.meta.dirname, "..", "..", "experiments", "plugins", "capped.mjs");

describeEngine(
  "the example of an engine of a plugin",
  () => openPluginEngine("capped/half", [{ name: "capped", path: example }], "f32"),
  tolerances["ggml, CPU"].f32,
);

/** The members of a device, in JavaScript, which do what those of `own` do. */
const forwarded = [
  "name: own.name, kind: own.kind, fastestProducts: own.fastestProducts, concurrency: own.concurrency, memory: own.memory",
  ...["bytesOf", "upload", "run", "read", "free"].map((name) => `${name}: own.${name}.bind(own)`),
  "[Symbol.asyncDispose]: () => own[Symbol.asyncDispose]()",
].join(", ");

/** A tiny experiment on the example's engine; the path of its file. */
async function writeExample(folder: string, file: object = {}): Promise<string> {
  await copyFile(example, join(folder, "capped.mjs"));
  return writeTinyExperiment(folder, { file: { plugins: ["./capped.mjs"], engine: "capped/half", ...file } });
}

test("a run is scored on a plugin's engine, with the bits of the one that it adds to, and goes on there", async () => {
  const folder = await temporaryFolder();
  const experiment = await loadExperiment(await writeExample(folder));
  const run = join(folder, "run");
  await launchRun(experiment, run);
  const [start] = recorded(run, "start");
  expect(start?.versions["engine"]).toMatch(/, half of its memory$/);
  expect(start?.identity["plugin capped"]).toMatch(/^[0-9a-f]{64}$/);
  const other = join(folder, "other");
  await launchRun({ ...experiment, engine: "auto" }, other);
  expect(traces(run).numbers).toBe(traces(other).numbers);
  const notices: string[] = [];
  await resumeRun(run, { onEvent: (event) => event.type === "notice" && notices.push(event.text) });
  expect(notices).toEqual([]);
  expect((await exportRun(run)).weightsDigest).toMatch(/^[0-9a-f]{64}$/);
  expect((await planExperiment(experiment)).engine).toMatch(/, half of its memory$/);

  const mark = join(folder, "it ran");
  await appendFile(
    join(folder, "capped.mjs"),
    `\nimport { writeFileSync } from "node:fs";\nwriteFileSync(${JSON.stringify(mark)}, "");\n`,
  );
  const sentence = /plugin capped: expected [0-9a-f]{12} as when the run began, found [0-9a-f]{12} in /;
  await expect(resumeRun(run)).rejects.toThrow(sentence);
  await expect(exportRun(run)).rejects.toThrow(sentence);
  await expect(resumeRun(run, { moved: { base: join(folder, "base") } })).rejects.toThrow(sentence);
  await expect(readFile(mark)).rejects.toThrow("ENOENT");
});

describe("an engine of a plugin", () => {
  test("is named as the experiment's plugins name it", async () => {
    const folder = await temporaryFolder();
    await expect(refusal(loadExperiment(await writeExample(folder, { engine: "capped/hlaf" })))).resolves.toMatch(
      /engine: expected auto, .*found "capped\/hlaf"; did you mean "capped\/half"\?/,
    );
    const experiment = await loadExperiment(await writeExample(folder, { engine: "auto" }));
    const run = launchRun({ ...experiment, engine: "other/one" }, join(folder, "run"));
    await expect(refusal(run)).resolves.toBe(
      "engine: expected one that is built in, or of the given plugins capped/half, found other/one",
    );
  });

  test.each([
    ["() => { throw new Error('no such card') }", "the engine bad/one: open: no such card"],
    ["() => 1", "the engine bad/one: open: expected a device, found 1"],
    ["() => ({})", "the engine bad/one: open: expected a device with a function bytesOf, found undefined"],
    [
      "async ({ openBuiltIn }) => Object.create(await openBuiltIn('ggml'), { name: { value: '\\u001B[2J' } })",
      "the engine bad/one: open: expected a name of one line, found '\\x1B[2J'",
    ],
    [
      "async ({ openBuiltIn }) => Object.create(await openBuiltIn('ggml'), { concurrency: { value: 0 } })",
      "the engine bad/one: open: expected a concurrency from 1 to 1000, found 0",
    ],
  ])("is told what is wrong with what it opens: %s", async (open, sentence) => {
    const path = join(await temporaryFolder(), "bad.mjs");
    await writeFile(path, `export default { name: "bad", engines: { one: { open: ${open} } } };`);
    await expect(refusal(openPluginEngine("bad/one", [{ name: "bad", path }], "f32"))).resolves.toBe(sentence);
  });

  test("that does not open leaves no device open of those that are built in", async () => {
    const path = join(await temporaryFolder(), "bad.mjs");
    const open = `async ({ openBuiltIn }) => { globalThis.leftByBad = await openBuiltIn("ggml"); throw "a card" }`;
    await writeFile(path, `export default { name: "bad", engines: { one: { open: ${open} } } };`);
    await expect(refusal(openPluginEngine("bad/one", [{ name: "bad", path }], "f32"))).resolves.toContain("a card");
    const { leftByBad } = globalThis as unknown as { readonly leftByBad: Device };
    await expect(leftByBad.upload(new Uint8Array(8), "f32", [2])).rejects.toThrow(/is closed/);
  });

  test("is named where what it computes is no number, for which parents are not to blame alone", async () => {
    const folder = await temporaryFolder();
    const read = "read: async (tensor) => (await own.read(tensor)).fill(255)";
    const open = `async ({ openBuiltIn }) => { const own = await openBuiltIn("ggml"); return { ${forwarded}, ${read} }; }`;
    await writeFile(join(folder, "bad.mjs"), `export default { name: "bad", engines: { one: { open: ${open} } } };`);
    const file = await writeTinyExperiment(folder, { file: { plugins: ["./bad.mjs"], engine: "bad/one" } });
    await expect(refusal(launchRun(await loadExperiment(file), join(folder, "run")))).resolves.toBe(
      "task quiz: expected a finite loss above 0 of the uniform average of the experts, found NaN; check that they come from one base, and what the engine bad/one computes",
    );
  });

  test.each([
    ["run: async () => []", "run: expected a list of 1 tensors, one for each output, found []"],
    ["run: () => { throw 'a card' }", "run: it threw 'a card'"],
    ["run: async () => { throw new Error('no power') }", "run: no power"],
    ["run: async () => [{ dtype: 'f32', shape: [3] }]", "run: expected a tensor of f32 [2], found [Object]"],
    ["read: async (tensor) => (await own.read(tensor)).subarray(1)", "read: expected 8 bytes, found 7"],
    ["read: async () => 'bytes'", "read: expected a Uint8Array of 8 bytes, found 'bytes'"],
    ["upload: async () => undefined", "upload: expected a tensor of f32 [2], found undefined"],
    ["bytesOf: () => NaN", "bytesOf: expected a whole number of bytes, found NaN"],
    ["free: () => { throw new Error('gone') }", "free: gone"],
    ["memory: undefined", "memory: expected bytes that it holds, found undefined"],
  ])("is told by its name what is wrong with what it does: %s", async (member, sentence) => {
    const path = join(await temporaryFolder(), "bad.mjs");
    const open = `async ({ openBuiltIn }) => { const own = await openBuiltIn("ggml"); return { ${forwarded}, ${member} }; }`;
    await writeFile(path, `export default { name: "bad", engines: { one: { open: ${open} } } };`);
    await using device = await openPluginEngine("bad/one", [{ name: "bad", path }], "f32");
    const use = async (): Promise<void> => {
      const tensor = await device.upload(new Uint8Array(8), "f32", [2]);
      expect(device.bytesOf(tensor) + device.memory.bytes).toBeGreaterThan(0);
      const [doubled] = await device.run([scale(input(tensor), 2)]);
      await device.read(doubled!);
      device.free(tensor, doubled!);
    };
    await expect(refusal(use())).resolves.toBe(`the engine bad/one: ${sentence}`);
  });
});
