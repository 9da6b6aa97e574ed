/** A candidate's way through mergekit-evolve: merged to disk by mergekit, loaded by transformers, scored by lm_eval in batches. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Timing } from "./interleave.ts";
import { type Peer, plainBatch, requestsOf, startPeer } from "./peers.ts";
import type { Work } from "./generation.ts";

const BATCH_SIZES = [1, 4, 8, 16, 32];

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
}

/** PyTorch on evomerge's batches, and lm_eval with the size of batches that is fastest here. */
export async function startScorers({ python, precision, base, work, folder }: PeersTask): Promise<Peer[]> {
  const [batches, requests] = [join(folder, "batches.json"), join(folder, "requests.json")];
  await writeFile(batches, JSON.stringify(work.packed.map(plainBatch)));
  await writeFile(requests, JSON.stringify(requestsOf(work.prompts)));
  const torch = await startPeer(python, "torch-scoring.py", [base, batches, precision]);
  let best: { readonly peer: Peer; readonly cpu: number } | undefined;
  for (const size of BATCH_SIZES) {
    const peer = await startPeer(python, "lm-eval-scoring.py", [base, requests, precision, String(size)]);
    const { cpu } = await peer.work();
    if (best && best.cpu <= cpu) {
      peer.stop();
      continue;
    }
    best?.peer.stop();
    best = { peer, cpu };
  }
  return [torch, best!.peer];
}

/** Merges to disk, and loads what was merged and scores it, as `batches of N` of the fastest scorer says. */
export async function startMergekitWay(task: PeersTask, mergekit: string, scorer: Peer): Promise<Peer> {
  const merged = join(task.folder, "merged");
  const merging = await startPeer(mergekit, "mergekit-merging.py", [merged]);
  const size = /\d+$/.exec(scorer.name)![0];
  const scoring = await startPeer(task.python, "lm-eval-scoring.py", [
    merged,
    join(task.folder, "requests.json"),
    task.precision,
    size,
    "loading",
  ]);
  return {
    name: `${merging.name} to disk, loaded by ${scoring.name}`,
    merges: true,
    work: async () => sum(await merging.work(JSON.stringify(configuration(task))), await scoring.work()),
    stop: () => {
      merging.stop();
      scoring.stop();
    },
  };
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
