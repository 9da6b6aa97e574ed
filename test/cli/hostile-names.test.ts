import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { modelTypes } from "../../src/model/architectures.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeTinyExperiment } from "../tiny-experiment.ts";
import { obeyed } from "../files/hostile-text.ts";
import { LoopbackHub } from "../hub/loopback-hub.ts";
import { type Ended, evomerge } from "./evomerge.ts";

/** Clears the screen, by C0 and by C1, names the window, and turns the direction of what follows. */
const HOSTILE = "\u001B[2J\u009B2J\u001B]0;x\u0007\u202E";
const SHOWN = String.raw`\u001B[2J\u009B2J\u001B]0;x\u0007\u202E`;

/** The end of a command in a folder with an experiment of which something was made hostile before. */
async function ended(
  arrange: (folder: string) => Promise<unknown>,
  args: readonly string[] = ["run", "tiny.yaml", "--out", "run"],
  env: NodeJS.ProcessEnv = {},
): Promise<Ended & { readonly folder: string }> {
  const folder = await temporaryFolder();
  await writeTinyExperiment(folder);
  await arrange(folder);
  const end = await evomerge(folder, args, { env });
  expect(end.stdout).not.toMatch(obeyed);
  expect(end.stderr).not.toMatch(obeyed);
  return { ...end, folder };
}

/** The experiment with another folder of an expert. */
function renamed(text: string): string {
  return JSON.stringify({ ...JSON.parse(text), experts: { nature: "nature", craft: `craft${HOSTILE}` } });
}

async function change(path: string, by: (text: string) => string): Promise<void> {
  await writeFile(path, by(await readFile(path, "utf8")));
}

test.each<[string, (folder: string) => Promise<unknown>, string]>([
  [
    "the folder of an expert, where it is none",
    (folder) => change(join(folder, "tiny.yaml"), renamed),
    `/craft${SHOWN}\n`,
  ],
  [
    "the kind of a model",
    (folder) => change(join(folder, "base", "config.json"), (text) => text.replace('"llama"', JSON.stringify(HOSTILE))),
    ` model; evomerge scores ${modelTypes.join(", ")} models so far`,
  ],
  [
    "text that is no JSON",
    (folder) => writeFile(join(folder, "base", "config.json"), `{"a": ${HOSTILE}`),
    "config.json: expected a JSON object: this is not JSON from character 7 on\n",
  ],
  [
    "rows that are none",
    (folder) => writeFile(join(folder, "rows", "quiz.jsonl"), JSON.stringify({ [HOSTILE]: HOSTILE })),
    "quiz.jsonl:1: expected the keys ",
  ],
  [
    "rows that are no JSON",
    (folder) => writeFile(join(folder, "rows", "quiz.jsonl"), `{${HOSTILE}`),
    "quiz.jsonl:1: expected a JSON object on one line: this is not JSON from character 2 on\n",
  ],
])("%s cannot reach the terminal", async (_, arrange, said) => {
  const { code, stderr } = await ended(arrange);
  expect(code).toBe(1);
  expect(stderr).toContain(said);
  expect(stderr.split("\n")).toHaveLength(2);
});

test("an expert's folder and a run's folder with such names are used, and shown harmless, in the report too", async () => {
  const { code, stderr, stdout, folder } = await ended(
    async (folder) => {
      await rename(join(folder, "craft"), join(folder, `craft${HOSTILE}`));
      await change(join(folder, "tiny.yaml"), renamed);
    },
    ["run", "tiny.yaml", "--out", `run${HOSTILE}`, "--json"],
  );
  expect(stderr).toContain(`run run${SHOWN}\n`);
  expect(code).toBe(0);
  const { experiment } = JSON.parse(stdout) as { experiment: { experts: { path: string }[] } };
  expect(experiment.experts.map(({ path }) => path)).toContain(join(folder, `craft${HOSTILE}`));
  const report = await readFile(join(folder, `run${HOSTILE}`, "report.md"), "utf8");
  expect(report).not.toMatch(obeyed);
  expect(report).toContain(`# run${SHOWN}, winner: `);
});

test("an option that is none is shown harmless", async () => {
  const { code, stderr } = await ended(() => Promise.resolve(), ["run", `--${HOSTILE}`]);
  expect(code).toBe(2);
  expect(stderr).toContain(`error: unknown option '--${SHOWN}'`);
});

test("what a Hub says, and how it calls its files, is shown harmless", async () => {
  await using server = await LoopbackHub.start();
  const files = { "config.json": "{}", "pytorch_model\u202E\u2066.bin": "pickle" };
  server.addModel("org/turned", { files });
  server.addModel("org/refused", { files });
  server.replace(
    ({ path }) => path.includes("org/refused"),
    (_, response) => response.writeHead(418, { "x-error-message": "\u009B2J" }).end("{}"),
  );
  const score = async (model: string): Promise<string> => {
    const env = { HF_ENDPOINT: server.url, HF_HUB_CACHE: "cache", HF_TOKEN: "" };
    const { code, stderr } = await ended(() => Promise.resolve(), ["score", model, "--task", "rows/quiz.jsonl"], env);
    expect(code).toBe(1);
    return stderr;
  };
  expect(await score("org/turned")).toContain("found pytorch_model\\u202E\\u2066.bin; convert it");
  expect(await score("org/refused")).toMatch(/answered 418/);
});

test("a licence whose name is a message stays out of a card", async () => {
  const { code, folder } = await ended(
    (folder) =>
      writeFile(join(folder, "base", "README.md"), `---\nlicense: ${JSON.stringify(`mit | ${HOSTILE}`)}\n---\n`),
    ["run", "tiny.yaml", "--out", "run", "--export"],
  );
  expect(code).toBe(0);
  expect(await readFile(join(folder, "run", "best", "README.md"), "utf8")).not.toMatch(obeyed);
});
