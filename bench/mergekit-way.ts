/** A candidate's way through mergekit-evolve: merged to disk by mergekit, loaded by transformers, scored by lm_eval in batches. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Timing } from "./interleave.ts";
import { type Peer, plainBatch, requestsOf, severalAtOnce, startPeer } from "./peers.ts";
import type { Work } from "./generation.ts";

const BATCH_SIZES = ["1", "4", "8", "16", "32"];

/** Of rows, for lm_eval. */
const REQUESTS = "requests.json";

/** What peers are given: models as folders, rows, and a folder for what they make. */
export interface PeersTask {
  /** Python with torch, transformers and lm_eval. */
  readonly python: string;
  readonly precision: "f32" | "bf16";
  readonly base: string;
  readonly experts: readonly string[];
  readonly layers: number;
  readonly work: Work;
  readonly folder: string;
  /** Of each, how many work at the same time. */
  readonly atOnce: number;
}

/** PyTorch on evomerge's batches, and lm_eval with the size of batches that is fastest here. */
export async function startScorers(task: PeersTask): Promise<Peer[]> {
  const { python, precision, base, work, folder, atOnce } = task;
  const batches = join(folder, "batches.json");
  await writeFile(batches, JSON.stringify(work.packed.map(plainBatch)));
  await writeFile(join(folder, REQUESTS), JSON.stringify(requestsOf(work.prompts)));
  const size = await fastestSize(task);
  return [
    await severalAtOnce(atOnce, () => startPeer(python, "torch-scoring.py", [base, batches, precision])),
    await severalAtOnce(atOnce, () => startLmEval(task, base, size)),
  ];
}

/** Merges to disk, and loads what was merged and scores it, as `batches of N` of the fastest scorer says. */
export function startMergekitWay(task: PeersTask, mergekit: string, scorer: Peer): Promise<Peer> {
  const size = /\d+$/.exec(scorer.name)![0];
  return severalAtOnce(task.atOnce, async (index) => {
    const merged = join(task.folder, `merged-${index}`);
    const merging = await startPeer(mergekit, "mergekit-merging.py", [merged]);
    const scoring = await startLmEval(task, merged, size, "loading");
    return {
      name: `${merging.name} to disk, loaded by ${scoring.name}`,
      merges: true,
      work: async () => sum(await merging.work(JSON.stringify(configuration(task))), await scoring.work()),
      stop: () => {
        merging.stop();
        scoring.stop();
      },
    };
  });
}

function startLmEval(task: PeersTask, model: string, size: string, ...rest: readonly string[]): Promise<Peer> {
  const requests = join(task.folder, REQUESTS);
  return startPeer(task.python, "lm-eval-scoring.py", [model, requests, task.precision, size, ...rest]);
}

/** Of batches, when nothing is beside it. */
async function fastestSize(task: PeersTask): Promise<string> {
  const took: { readonly size: string; readonly cpu: number }[] = [];
  for (const size of BATCH_SIZES) {
    const peer = await startLmEval(task, task.base, size);
    took.push({ size, cpu: (await peer.work()).cpu });
    peer.stop();
  }
  return took.toSorted((a, b) => a.cpu - b.cpu)[0]!.size;
}

/** Task arithmetic with a weight for each layer and expert. */
function configuration({ base, experts, layers }: PeersTask): unknown {
  const weight = (expert: number): number[] => Array.from({ length: layers }, (_, i) => 0.3 + 0.01 * (i + expert));
  return {
    merge_method: "task_arithmetic",
    base_model: base,
    models: experts.map((model, i) => ({ model, parameters: { weight: weight(i) } })),
    dtype: "bfloat16",
  };
}

function sum(a: Timing, b: Timing): Timing {
  return { wall: a.wall + b.wall, cpu: a.cpu + b.cpu };
}
