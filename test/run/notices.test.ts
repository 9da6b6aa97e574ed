import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { launchRun } from "../../src/run/launch-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { newsRows, tinyExperiment, writeRows } from "../tiny-experiment.ts";

test("a run says first what a person should know of its models and rows", async () => {
  const folder = await temporaryFolder();
  const experiment = await tinyExperiment(folder);
  const path = join(folder, "craft", "tokenizer.json");
  const own = JSON.parse(await readFile(path, "utf8"));
  await writeFile(
    path,
    JSON.stringify({ ...own, post_processor: { type: "BertProcessing", cls: ["<s>", 1], sep: ["</s>", 2] } }),
  );
  const long = { input: "A long way. ".repeat(300), target: "home" };
  const instructed = (newsRows("search", 29) as { input: string }[]).map(({ input, ...row }) => ({
    ...row,
    input: `Be short.\n${input}`,
  }));
  await writeRows(join(folder, "rows", "news.jsonl"), [...instructed, long]);
  const notices: string[] = [];
  const stop = new Error("enough");
  const running = launchRun(experiment, join(folder, "run"), {
    onEvent: (event) => {
      if (event.type !== "notice") throw stop;
      notices.push(event.text);
    },
  });
  await expect(running).rejects.toThrow(stop);
  const written = notices.filter((text) => !text.includes("nvidia"));
  expect(written).toEqual([
    expect.stringMatching(
      /craft: the tokenizer of the base is used for all models; this one's differs: post_processor: /,
    ),
    expect.stringMatching(
      /news\.jsonl: 29 of 36 rows begin with "Be short\.", which is taken for an instruction and not /,
    ),
    "1 of 36 rows of news is longer than the window of 256 tokens and loses its beginning, as in lm_eval",
  ]);
});
