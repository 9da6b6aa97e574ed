/** One stage of the way forward, for candidates that agree on it: merge, send tokens through, hash the weights on request. */
import type { Device } from "../device/device.ts";
import type { Expression } from "../device/expression.ts";
import { substitute } from "../device/graph.ts";
import { rowsFirst } from "../device/rows-first.ts";
import type { BatchShare } from "./device-batches.ts";
import type { Room } from "./fitting.ts";
import type { State } from "../model/architecture.ts";
import { resultsToKeep } from "./kept-results.ts";
import { mergedInputs } from "./merges.ts";
import { stageGraph, type StageGraph } from "./stage-graph.ts";
import type { PathStage } from "./path.ts";
import { mapValues, type StageRun, type StateTensors } from "./stage-run.ts";

/** What a run on the way forward leaves, of each batch of its share. */
export interface Advanced {
  readonly states: readonly StateTensors[];
  /** Results from inside the stage that the way back would compute again. */
  readonly kept: readonly StateTensors[];
}

/**
 * Sends a share of the batches through the stage of candidates that agree on it, in one computation; `states` has what the
 * stage before left of every batch. What the way back reads is kept while there is room.
 */
export async function runShare(
  run: StageRun,
  at: PathStage,
  members: readonly number[],
  states: readonly StateTensors[],
  share: BatchShare,
  room: Room | undefined,
): Promise<Advanced> {
  const { merging, hashing } = run;
  const { device } = merging;
  const graph = stageGraph(run, at, states, share);
  // What a part of a stage hands on as it is.
  const given = new Set(at.isPart ? graph.before.flatMap((state) => Object.values(state)) : []);
  const after = graph.after.flatMap((state) => Object.values(state)).filter((node) => !given.has(node));
  const outputs = rowsFirst(after, undefined, graph.heightOf);
  // No derivatives are taken of a parent as it is.
  const keeping = isCopied(at) || !room ? [] : fittingResults(graph, device, room);
  const kept = keeping.flatMap((results) => Object.values(results));
  const hashes = hashing !== undefined && share.isFirst && members.includes(hashing.candidate);
  const hashed = hashes ? Object.entries(at.stage.weights).filter(([, weight]) => hashing.wants(weight)) : [];
  // How much is kept depends on free memory, and what is not is computed again: neither may change a bit.
  const separately = room !== undefined;
  const merges = run.merges?.get(at) ?? {};
  const toMerge = hashed.filter(([role]) => !merges[role]);
  const asked = [...outputs, ...kept, ...toMerge.map(([role]) => graph.merged[role]!)];
  const results = await device.run(substitute(asked, mergedInputs(run, at, graph)), { separately });
  const weights = results.splice(outputs.length + kept.length);
  const merged = { ...merges, ...Object.fromEntries(toMerge.map(([role], i) => [role, weights[i]!])) };
  for (const [role, weight] of hashed) await hashing?.add(weight, merged[role]!, device);
  device.free(...weights);
  let next = 0;
  const take = (state: State): StateTensors =>
    mapValues(state, (node) => (node.op === "input" && given.has(node) ? node.tensor : results[next++]!));
  return { states: graph.after.map(take), kept: keeping.map(take) };
}

function isCopied({ sources }: PathStage): boolean {
  return Object.values(sources).every(({ step }) => step.method === "passthrough");
}

/** Of each batch, what there is room for. */
function fittingResults(graph: StageGraph, device: Device, room: Room): Readonly<Record<string, Expression>>[] {
  return resultsToKeep(graph).map((results) =>
    Object.fromEntries(Object.entries(results).filter(([, node]) => room.take(device.bytesOf(node)))),
  );
}
