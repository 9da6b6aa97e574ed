import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Experiment, TaskFiles } from "../../src/experiment/experiment-file.ts";
import { loadTasks, type Task } from "../../src/experiment/load-tasks.ts";
import { openWorkspace } from "../../src/experiment/workspace.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment, writeRows } from "../tiny-experiment.ts";

async function load(experiment: Experiment, task: Partial<TaskFiles>): Promise<Task[]> {
  await using workspace = await openWorkspace(experiment);
  const [first] = experiment.tasks;
  return await loadTasks({ ...experiment, tasks: [{ ...first!, ...task }] }, workspace.evaluator);
}

test("reads the rows of a task from several files", async () => {
  const folder = await temporaryFolder();
  const experiment = await tinyExperiment(folder);
  const [whole] = await load(experiment, {});
  const path = join(folder, "rows", "quiz.jsonl");
  const lines = (await readFile(path, "utf8")).trim().split("\n");
  const parts = [lines.slice(0, 5), lines.slice(5)].map((part) => part.map((line): object => JSON.parse(line)));
  const files = ["a.jsonl", "b.jsonl"].map((name) => join(folder, name));
  await Promise.all(files.map((file, i) => writeRows(file, parts[i]!)));
  expect(await load(experiment, { rows: files })).toEqual([whole]);

  await expect(load(experiment, { rows: [path], guard: files })).rejects.toThrow(
    /a\.jsonl and 1 more: row ".*" is also in .*quiz\.jsonl; guard rows must be new to the search/,
  );
  await writeRows(files[0]!, parts[0]!.slice(0, 1));
  const { guard: _, ...alone } = experiment.tasks[0]!;
  const same = { ...experiment, tasks: [{ ...alone, rows: [files[0]!, files[0]!] }] };
  await using workspace = await openWorkspace(experiment);
  await expect(loadTasks(same, workspace.evaluator)).rejects.toThrow(
    /a\.jsonl and 1 more: expected rows about at least two/,
  );
});

test("takes a dataset that was not fetched for a fault of the program", async () => {
  const experiment = await tinyExperiment(await temporaryFolder());
  const rows = { dataset: "org/rows@main", config: "quiz" };
  await expect(load(experiment, { rows })).rejects.toThrow(new Error("the rows of org/rows@main were not fetched"));
});
