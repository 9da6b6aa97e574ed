/** One stage of the way forward, for candidates that agree on it: merge, send tokens through, hash the weights on request. */
import { rowsFirst } from "../device/rows-first.ts";
import type { BatchShare } from "./device-batches.ts";
import { stageGraph } from "./stage-graph.ts";
import { mapValues, weightsOf, type StageRun, type StateTensors } from "./stage-run.ts";

/**
 * Sends a share of the batches through the stage of candidates that agree on it, in one computation; `states` has what the
 * stage before left of every batch. Returns the states of the share's batches.
 */
export async function runShare(
  stage: StageRun,
  members: readonly number[],
  states: readonly StateTensors[],
  share: BatchShare,
): Promise<StateTensors[]> {
  const { merging, hashing, recipes, index } = stage;
  const { device } = merging;
  const graph = stageGraph(stage, recipes[members[0]!]!, states, share);
  const outputs = rowsFirst(graph.after.flatMap((state) => Object.values(state)));
  const hashes = hashing !== undefined && share.isFirst && members.includes(hashing.candidate);
  const hashed = hashes ? weightsOf(merging, index).filter(([, weight]) => hashing.wants(weight)) : [];
  const results = await device.run([...outputs, ...hashed.map(([role]) => graph.merged[role]!)]);
  const weights = results.splice(outputs.length);
  for (const [i, [, weight]] of hashed.entries()) await hashing?.add(weight, weights[i]!, device);
  device.free(...weights);
  let next = 0;
  return graph.after.map((state) => mapValues(state, () => results[next++]!));
}
