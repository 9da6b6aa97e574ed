import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, open, readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { modelTypes } from "../../src/model/architectures.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { safetensorsBytes } from "../checkpoint/safetensors-bytes.ts";
import { compiled } from "../compiled.ts";
import { contentsBelow } from "../contents-below.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { quizRows, tinyExperiment, writeRows, writeTinyExperiment } from "../tiny-experiment.ts";
import { writeTinyModel } from "../tiny-model.ts";

const tokenizers = join(import.meta.dirname, "..", "fixtures", "tasks", "tokenizers");

/** A finished and exported run, which stands beside every fault. */
let earlier: string;
beforeAll(async () => {
  earlier = await mkdtemp(join(tmpdir(), "evomerge-"));
  await launchRun(await tinyExperiment(earlier), join(earlier, "run"));
  await exportRun(join(earlier, "run"));
});
afterAll(() => rm(earlier, { recursive: true, force: true }));

/** The one sentence of a failure that is the user's; ~ stands for the folder and # for a hash. */
async function failureOf(work: Promise<unknown>, folder: string): Promise<string> {
  const reason: unknown = await work.catch((error: unknown) => error);
  expect(reason).toBeInstanceOf(UserError);
  return (reason as UserError).message.replaceAll(folder, "~").replaceAll(/\b[0-9a-f]{12}\b/g, "#");
}

/** Changes keys of a model's config.json. */
async function configure(model: string, fields: object): Promise<void> {
  const path = join(model, "config.json");
  await writeFile(path, JSON.stringify({ ...(JSON.parse(await readFile(path, "utf8")) as object), ...fields }));
}

/** Changes one word of the experiment file. */
async function replace(folder: string, word: string, other: string): Promise<void> {
  const path = join(folder, "tiny.yaml");
  await writeFile(path, (await readFile(path, "utf8")).replace(word, other));
}

/** What is wrong, how it comes about in a folder, and the whole error, where ~ stands for that folder. */
type Fault = readonly [fault: string, spoil: (folder: string) => Promise<unknown>, error: string];

/** A model like those of the tiny experiment. */
const like = { tokenizer: join(tokenizers, "byte-level") };
/** Values that are finite and whose products are not. */
function enlargeLastNorm(name: string, values: Float32Array): void {
  if (name === "model.norm.weight") values.fill(3e38);
}

const weights = "craft/model.safetensors";

const faults: readonly Fault[] = [
  [
    "a model file that was cut short",
    (folder) => truncate(join(folder, weights), 20_000),
    "~/craft/model.safetensors: expected 31976 bytes by its header, found 20000; was it copied or downloaded in full?",
  ],
  [
    "a header that claims more bytes than the file has",
    async (folder) => {
      await using file = await open(join(folder, weights), "r+");
      await file.write(Uint8Array.of(255, 255, 255, 255), 0, 4, 0);
    },
    "~/craft/model.safetensors: expected a header of at most the 31968 bytes left in the file, found one of 4294967295",
  ],
  [
    "a header whose tensors overlap",
    (folder) => {
      const tensor = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
      return writeFile(join(folder, weights), safetensorsBytes({ a: tensor, b: tensor }, 8));
    },
    "~/craft/model.safetensors: tensor 'b': expected its data at offset 8, found it at 0; tensors follow each other without holes or overlaps",
  ],
  [
    "a header that asks for more memory than there is",
    (folder) => {
      const tensor = { dtype: "F32", shape: [2 ** 40, 2 ** 40], data_offsets: [0, 8] };
      return writeFile(join(folder, weights), safetensorsBytes({ a: tensor }, 8));
    },
    "~/craft/model.safetensors: tensor 'a': expected data_offsets of 4.835703278458517e+24 bytes for 'F32' of shape [ 1099511627776, 1099511627776 ], found [ 0, 8 ]",
  ],
  [
    "a missing shard",
    async (folder) => {
      await rename(join(folder, weights), join(folder, "craft/model-00001-of-00002.safetensors"));
      const weight_map = { "lm_head.weight": "model-00002-of-00002.safetensors" };
      await writeFile(join(folder, "craft/model.safetensors.index.json"), JSON.stringify({ weight_map }));
    },
    "~/craft/model-00002-of-00002.safetensors: no such file, but model.safetensors.index.json names it; download the model in full",
  ],
  [
    "a model folder that is not there",
    (folder) => rm(join(folder, "craft"), { recursive: true }),
    "~/tiny.yaml:5:5: experts[1]: expected a folder, or a name of the Hub as org/name, found none at ~/craft",
  ],
  [
    "a weight that is not a number",
    (folder) =>
      writeTinyModel(join(folder, "craft"), {
        ...like,
        edit: (name, values) => void (name === "model.layers.1.mlp.up_proj.weight" && (values[5] = Number.NaN)),
      }),
    "~/craft: tensor model.layers.1.mlp.up_proj.weight: element 5 is NaN or infinite; expected finite weights, use another model",
  ],
  [
    "weights so large that the merge computes no numbers",
    async (folder) => {
      for (const [seed, name] of ["base", "nature", "craft"].entries())
        await writeTinyModel(join(folder, name), { ...like, seed, edit: enlargeLastNorm });
    },
    "task quiz: expected a finite loss above 0 of the uniform average of the experts, found NaN; check that they come from one base",
  ],
  [
    "experts with the weights of the base",
    async (folder) => {
      for (const name of ["nature", "craft"])
        await cp(join(folder, "base"), join(folder, name), { recursive: true, force: true });
    },
    "the experts nature and craft have the very weights of the base: they hold nothing that the base lacks, so that a search can find nothing; name models that were trained further",
  ],
  [
    "an adapter whose configuration is a model's",
    async (folder) => {
      await rename(join(folder, weights), join(folder, "craft/adapter_model.safetensors"));
      await rename(join(folder, "craft/config.json"), join(folder, "craft/adapter_config.json"));
    },
    '~/craft/adapter_config.json: expected the peft_type "LORA", found undefined',
  ],
  [
    "an expert of another shape",
    (folder) => writeTinyModel(join(folder, "craft"), { ...like, hidden: 24 }),
    "~/craft: hidden_size: expected 16 as in the base ~/base, found 24; only models of one architecture merge",
  ],
  [
    "an expert whose tensors are not those of its config.json",
    async (folder) => {
      await writeTinyModel(join(folder, "craft"), { ...like, hidden: 24 });
      await configure(join(folder, "craft"), { hidden_size: 16, intermediate_size: 32 });
    },
    "~/craft: tensor model.embed_tokens.weight: expected shape [320, 16] from config.json, found [320, 24]",
  ],
  [
    "an expert of another vocabulary",
    (folder) => writeTinyModel(join(folder, "craft"), { tokenizer: join(tokenizers, "metaspace-bos") }),
    "~/craft: its tokenizer is not that of the base ~/base: token 3: '!' in the base, '<0x00>' here and 428 more; merge 0: 'h e' in the base, '▁ ▁' here; model.byte_fallback: not set in the base, true here; and 2 more; only models of one vocabulary merge",
  ],
  [
    "an architecture that is not known",
    (folder) => configure(join(folder, "base"), { model_type: "gpt2" }),
    `~/base is a gpt2 model; evomerge scores ${modelTypes.join(", ")} models so far`,
  ],
  [
    "an unknown key in the experiment file",
    (folder) => replace(folder, '"rowFraction"', '"rowFracton"'),
    '~/tiny.yaml:36:5: search: unknown key "rowFracton"; did you mean "rowFraction"?',
  ],
  [
    "an experiment file that is not there",
    (folder) => rm(join(folder, "tiny.yaml")),
    "~/tiny.yaml: no such file or directory; expected a YAML file",
  ],
  [
    "a file without rows",
    (folder) => writeFile(join(folder, "rows/news.jsonl"), "\n"),
    "~/rows/news.jsonl: expected rows, found none; give JSON lines, CSV with a header, or parquet",
  ],
  [
    "a file of rows that is not there",
    (folder) => rm(join(folder, "rows/news.jsonl")),
    "~/tiny.yaml:29:15: tasks.news.rows: expected a file of rows, found none at ~/rows/news.jsonl",
  ],
  [
    "a list of one choice",
    (folder) =>
      writeRows(join(folder, "rows/quiz.jsonl"), [
        ...quizRows("search", 2),
        { input: "Where?", target: "here", answer_choices: ["here"], label: 0 },
      ]),
    "~/rows/quiz.jsonl:3: answer_choices: expected at least two answers",
  ],
  [
    "a guard row that is also a search row",
    async (folder) =>
      writeRows(join(folder, "rows/quiz.guard.jsonl"), [...quizRows("guard", 3), ...quizRows("search", 1)]),
    '~/rows/quiz.guard.jsonl: expected rows that are new to the search, found 1 of 4 about passages or groups of search rows, such as row "search 0: a hare left the barn.\\nQuestion: Where?\\nAnswer:", which is also in ~/rows/quiz.jsonl; remove them, or leave the guard out to have it split off',
  ],
  [
    "a guard row too long for the model",
    (folder) => writeRows(join(folder, "rows/news.guard.jsonl"), [{ input: "Summary:", target: "long ".repeat(200) }]),
    `row "Summary:": its answers take more than the model's 256 positions; remove the row`,
  ],
  [
    "a tokenizer with more tokens than the models have",
    async (folder) => {
      for (const [seed, name] of ["base", "nature", "craft"].entries()) {
        const config = { vocab_size: 290 };
        await writeTinyModel(join(folder, name), { ...like, seed, config });
      }
    },
    "~/base: its tokenizer has 320 tokens, its config.json 290 embeddings; the tokenizer is another model's",
  ],
  [
    "rows of a single passage without guard rows",
    async (folder) => {
      await replace(folder, '"guard": "rows/quiz.guard.jsonl"', '"weight": 1');
      await writeRows(join(folder, "rows/quiz.jsonl"), quizRows("search", 1));
    },
    "~/rows/quiz.jsonl: expected rows about at least two passages or groups to split them, found 1; give guard rows, or say in a column group what they are about",
  ],
  [
    "a folder that already holds a run",
    async (folder) => {
      await cp(join(folder, "earlier"), join(folder, "run"), { recursive: true });
    },
    "~/run already holds a run; resume it or choose another folder",
  ],
  ["a file in the place of the run's folder", (folder) => writeFile(join(folder, "run"), ""), "~/run: not a directory"],
];

describe("launching a run", () => {
  test.each(faults)("refuses %s in one sentence, and leaves earlier results alone", async (...[, spoil, error]) => {
    const folder = await temporaryFolder();
    const file = await writeTinyExperiment(folder);
    await cp(join(earlier, "run"), join(folder, "earlier"), { recursive: true });
    await spoil(folder);
    const before = contentsBelow(join(folder, "earlier"));
    const running = loadExperiment(file).then((experiment) => launchRun(experiment, join(folder, "run")));
    expect(await failureOf(running, folder)).toBe(error);
    expect(contentsBelow(join(folder, "earlier"))).toEqual(before);
  });
});

const resumeFaults: readonly Fault[] = [
  [
    "a folder without a run",
    (folder) => rm(join(folder, "run/journal.jsonl")),
    "~/run holds no run: expected the file journal.jsonl in it",
  ],
  [
    "an expert whose weights have changed",
    (folder) => writeTinyModel(join(folder, "craft"), like),
    "~/craft/model.safetensors: tensor model.embed_tokens.weight: expected bf16 [320,16] # as when it was first read, found bf16 [320,16] #; restore the file, or start a new run",
  ],
  [
    "a configuration that has changed",
    async (folder) => {
      for (const name of ["base", "nature", "craft"]) await configure(join(folder, name), { rms_norm_eps: 0.1 });
    },
    "~/run: config.json of base: expected # as when the run began, found # in ~/base; restore what was changed, or start a new run",
  ],
  [
    "guard rows that have changed",
    (folder) => writeRows(join(folder, "rows/quiz.guard.jsonl"), quizRows("guard", 7)),
    "~/run: rows of quiz: expected # as when the run began, found # in ~/rows/quiz.jsonl, ~/rows/quiz.guard.jsonl; restore what was changed, or start a new run",
  ],
  [
    "a damaged journal",
    async (folder) => {
      const path = join(folder, "run/journal.jsonl");
      await writeFile(path, (await readFile(path, "utf8")).replace('"type":"plan"', '"type":"plot"'));
    },
    "~/run/journal.jsonl: record 7 is damaged: expected a valid checksum and sequence 6; restore the file from a copy or start a new run",
  ],
  [
    "losses that were cut short",
    (folder) => truncate(join(folder, "run/numbers.bin"), 8),
    "~/run/numbers.bin is cut short: expected many bytes, found 8; restore it from a copy",
  ],
];

test("a row that cannot be scored is found before a folder is made for the run", async () => {
  const folder = await temporaryFolder();
  const experiment = await tinyExperiment(folder);
  await writeRows(join(folder, "rows/news.guard.jsonl"), [{ input: "Summary:", target: "long ".repeat(200) }]);
  await expect(launchRun(experiment, join(folder, "run"))).rejects.toThrow("its answers take more than");
  expect(await readdir(folder)).not.toContain("run");
});

describe("resuming a run", () => {
  test.each(resumeFaults)("refuses %s in one sentence, and leaves the run alone", async (...[, spoil, error]) => {
    const folder = await temporaryFolder();
    await launchRun(await tinyExperiment(folder, { file: { budget: { evaluations: 5 } } }), join(folder, "run"));
    await spoil(folder);
    const before = contentsBelow(join(folder, "run"));
    const failure = await failureOf(resumeRun(join(folder, "run")), folder);
    // Their number depends on the lanes of the device.
    expect(failure.replace(/\d+ bytes/, "many bytes")).toBe(error);
    expect(contentsBelow(join(folder, "run"))).toEqual(before);
  });

  test("refuses a run that another process is at", async () => {
    const script = compiled("test/journal/hold-lock");
    const holder = spawn(process.execPath, [script, join(earlier, "run")]);
    onTestFinished(() => void holder.kill("SIGKILL"));
    await once(holder.stdout, "data");
    expect(await failureOf(resumeRun(join(earlier, "run")), earlier)).toBe(
      `~/run is in use by process ${holder.pid} on ${hostname()}; wait for it or stop it`,
    );
  });
});
