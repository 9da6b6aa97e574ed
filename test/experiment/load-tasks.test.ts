import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Experiment, TaskFiles } from "../../src/experiment/experiment.ts";
import { loadTasks, readTasks, type Task } from "../../src/experiment/load-tasks.ts";
import { openWorkspace } from "../../src/experiment/workspace.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { quizRows, tinyExperiment, writeRows } from "../tiny-experiment.ts";

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
    /a\.jsonl and 1 more: expected .* found 16 of 16 about .* such as row ".*", which is also in .*quiz\.jsonl; remove/,
  );
  await writeRows(files[0]!, parts[0]!.slice(0, 1));
  const { guard: _, ...alone } = experiment.tasks[0]!;
  const same = { ...experiment, tasks: [{ ...alone, rows: [files[0]!, files[0]!] }] };
  await using workspace = await openWorkspace(experiment);
  await expect(loadTasks(same, workspace.evaluator)).rejects.toThrow(
    /a\.jsonl and 1 more: expected rows about at least two/,
  );
});

test("tells the share of all bytes that is read, whatever kind of file", async () => {
  const folder = await temporaryFolder();
  const experiment = await tinyExperiment(folder);
  const rows = Array.from({ length: 300 }, (_, i) => ({ input: `Row ${i}`.padEnd(99, "."), target: "end" }));
  const files = ["a.jsonl", "b.json", "c.csv"].map((name) => join(folder, name));
  await writeRows(files[0]!, rows);
  await writeFile(files[1]!, JSON.stringify(rows));
  await writeFile(files[2]!, ["input,target", ...rows.map(({ input, target }) => `${input},${target}`)].join("\n"));
  const shares: number[] = [];
  const tasks = [{ name: "news", weight: 1, loss: "softmax", rows: files }] as const;
  await readTasks({ ...experiment, tasks }, { onShare: (share) => shares.push(share) });
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(shares.at(-1)).toBe(1);
  // As evenly as the rows that are told.
  expect(shares.length).toBeGreaterThan(12);
  for (const [i, share] of shares.entries()) expect(share - (shares[i - 1] ?? 0)).toBeLessThan(0.1);
});

test("choices are judged by the loss that their task names, in search and guard, and texts by their own", async () => {
  const experiment = await tinyExperiment(await temporaryFolder());
  const tasks = experiment.tasks.map((task) => ({ ...task, loss: "length-normalised" as const }));
  const notices: string[] = [];
  const [quiz, news] = await readTasks({ ...experiment, tasks }, { onNotice: (text) => notices.push(text) });
  for (const row of [...quiz!.search, ...quiz!.guard]) expect(row.loss).toBe("length-normalised");
  for (const row of [...news!.search, ...news!.guard]) expect(row).not.toHaveProperty("loss");
  expect(notices).toEqual([
    "tasks.news.loss: length-normalised is a loss of choices; these rows are texts, whose loss is nats per byte",
  ]);
});

test("takes a dataset that was not fetched for a fault of the program", async () => {
  const experiment = await tinyExperiment(await temporaryFolder());
  const rows = { dataset: "org/rows@main", config: "quiz" };
  await expect(load(experiment, { rows })).rejects.toThrow(new Error("the rows of org/rows@main were not fetched"));
});

test("refuses guard rows about a passage that the search sees in another task, by passage or by group", async () => {
  const folder = await temporaryFolder();
  const experiment = await tinyExperiment(folder);
  const path = join(folder, "rows", "news.guard.jsonl");
  const rows = (await readFile(path, "utf8"))
    .trim()
    .split("\n")
    .map((line): object => JSON.parse(line));
  await using workspace = await openWorkspace(experiment);
  const load = async (extra: object): Promise<Task[]> => {
    await writeRows(path, [...rows, extra]);
    return loadTasks(experiment, workspace.evaluator);
  };
  const refused = /news\.guard\.jsonl: expected .* found 1 of 7 about .* with row ".*Answer:" of .*quiz\.jsonl; remove/;

  const [quiz] = quizRows("search", 1) as { input: string }[];
  const [passage] = quiz!.input.split("\n");
  await expect(load({ input: `${passage}\nSummary:`, target: "A move." })).rejects.toThrow(refused);

  const quizPath = join(folder, "rows", "quiz.jsonl");
  await writeRows(
    quizPath,
    quizRows("search", 16).map((row) => ({ ...row, group: "moves" })),
  );
  await expect(load({ input: "Somebody left. Summary:", target: "A move.", group: "moves" })).rejects.toThrow(refused);
  const [, news] = await load({ input: "Somebody left. Summary:", target: "A move.", group: "other moves" });
  expect(news!.guard).toHaveLength(7);
});
