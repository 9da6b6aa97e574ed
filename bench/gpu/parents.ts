/** Parents on their way to a device, and merges of them there. */
import { routeAlong, stagePathsOf } from "../../src/evaluate/path.ts";
import { BASE } from "../../src/experiment/the-base.ts";
import { allWeights, type Model } from "../../src/model/architecture.ts";
import { bytesPerElement, elementCount } from "../../src/tensor/dtype.ts";
import { mergeAll } from "../generation.ts";
import { type GpuBench, type GpuTask, repeated, shareOf } from "./task.ts";
import { lossRow } from "./scoring.ts";
import { timed } from "../interleave.ts";
import { figure } from "../told.ts";

/** Read, hashed, looked at and brought to the device: where they stay, this is done once in a run. */
export async function firstReading({ parents, model, device, task, recipes, told }: GpuBench): Promise<void> {
  const merging = { device, model, parents, base: BASE, experts: task.experts };
  const route = routeAlong(stagePathsOf(merging, recipes, [0]));
  const took = await timed(async () => {
    for (const index of route.stages.keys()) {
      await parents.load(route, index);
      parents.release(route, index);
    }
    await parents.releaseAll();
  });
  const name = `parents read, hashed and uploaded, ${figure(parents.bytesRead / 1e9)} GB`;
  const notes = [`${figure(device.memory.bytes / 1e9)} GB stay`];
  await told.tell({ name, value: parents.bytesRead / 1e9 / took.wall, unit: "GB/s", took, notes });
}

/** A driver compiles kernels when they are first launched, for which no part is to be blamed. */
export async function warmUp({ scorer, recipes, task, told }: GpuBench): Promise<void> {
  const few = task.rows.filter((_, i) => i % Math.ceil(task.rows.length / 4) === 0);
  const took = await timed(async () => void (await scorer.gradient(recipes.slice(0, 1), few.map(lossRow))));
  await told.tell({ name: "first derivatives, of a few rows", took, notes: ["with what the driver compiles"] });
}

/** Of one candidate and of all: base and experts are to be read once for all, and each merge written. */
export async function merge({ device, model, parents, task, recipes, told, ceilings }: GpuBench): Promise<void> {
  for (const count of new Set([1, recipes.length])) {
    const own = recipes.slice(0, count);
    const took = await repeated(() => mergeAll({ device, model, weights: parents, experts: task.experts }, own), 3);
    const rate = mergedBytes(model, task, count) / took.wall;
    const notes = [
      ...shareOf(rate, ceilings.copy, "PyTorch's copy"),
      `${figure((1e3 * took.wall) / count)} ms a candidate`,
    ];
    await told.tell({ name: `merging, ${count} at once`, value: rate / 1e9, unit: "GB/s", took, notes });
  }
}

/** Of base and experts, which are read, and of so many merges. */
export function mergedBytes(model: Model, { experts }: GpuTask, merges = 1): number {
  const elements = allWeights(model).reduce((sum, { shape }) => sum + elementCount(shape), 0);
  return elements * bytesPerElement.bf16 * (experts.length + 1 + merges);
}
