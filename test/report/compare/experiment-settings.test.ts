import { expect, test } from "vitest";
import { loadExperiment } from "../../../src/experiment/experiment-file.ts";
import type { Experiment } from "../../../src/experiment/experiment.ts";
import { differencesBetween } from "../../../src/report/compare/experiment-settings.ts";
import { loadSpace } from "../../../src/space/spaces.ts";

test("tell of a task what its rows are judged by: a loss of choices, or what a plugin's format has", async () => {
  const demo = await loadExperiment("demo");
  const tasks = demo.tasks.map((task, i) => (i === 0 ? { ...task, format: "podium/order" as const } : task));
  const experiment: Experiment = { ...demo, space: await loadSpace("global"), tasks };
  const grouped: Experiment = { ...demo, space: await loadSpace("depth-curves") };
  const runs = [experiment, grouped].map((own) => ({ experiment: own, records: [] }));
  expect(differencesBetween(["a", "b"], runs).rows).toEqual([
    ["space", "task_arithmetic, 1 group", "task_arithmetic, 3 groups"],
    ["task cosmosqa", "weight 1, podium/order", "weight 1, softmax"],
  ]);
});
