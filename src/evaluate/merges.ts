/**
 * Weights of a layer merged for all candidates in one run, on devices whose merges go through a cache, or over memory once: the parents are then
 * read from memory once, and what each expert adds to the base is made of them once, where each candidate would do so by itself. Where the
 * batches of a candidate are divided, its merge is made once for all shares. The bits are the same. The merges stay on the device until the stage is over.
 * @module
 */
import { storedDtype, type DeviceTensor } from "../device/device.ts";
import { cast, input, sub, type Expression } from "../device/expression.ts";
import { mergeTensor } from "../merge/merge-tensor.ts";
import type { Step } from "../merge/recipe.ts";
import { bytesPerElement, elementCount } from "../tensor/dtype.ts";
import { roomBeside } from "./differences.ts";
import type { PathStage } from "./path.ts";
import type { StageGraph } from "./stage-graph.ts";
import { mapValues, type StageRun } from "./stage-run.ts";

/** Of smaller weights a merge takes less time than to write it down and read it. */
const LEAST_ELEMENTS = 2 ** 17;

/** Of all merges of a weight that go through a cache: a run has nodes for each block of each, of which more would not be kept for the next layer. */
const MOST_ELEMENTS = 2 ** 27;

/** Of merges that go over memory once, which a GPU makes in some tenths of a millisecond: as long as a run takes to begin. */
const RUN_BYTES = 2 ** 28;

/** Merged weights on the device, by their place in a path and their role there. */
export type Merges = ReadonlyMap<PathStage, Readonly<Record<string, DeviceTensor>>>;

/** A weight of the parents, and the merges of it by where they are read. */
interface ManyMerges {
  readonly name: string;
  readonly wanted: readonly { readonly at: PathStage; readonly role: string; readonly step: Step }[];
  readonly bytes: number;
}

/** Where merges are made. */
type MergedStage = Pick<StageRun, "merging" | "tensors">;

/** Does work on a stage with its large weights merged for all that are `at` it, each once a share, as far as there is room for that. */
export async function withMerges<T>(
  stage: MergedStage,
  at: readonly PathStage[],
  work: (merges: Merges) => Promise<T>,
): Promise<T> {
  const { device } = stage.merging;
  if (!device.mergesInCache && !device.mergesAtOnce) return work(new Map());
  let room = roomBeside(device);
  const chosen = manyMerges(stage, at).filter(({ bytes }) => bytes <= room && (room -= bytes) >= 0);
  const merges = new Map<PathStage, Record<string, DeviceTensor>>();
  const runs = device.mergesAtOnce ? inRuns(chosen) : chosen.map((weight) => [weight]);
  const made = runs.map(async (weights) => {
    const results = await device.run(
      weights.flatMap(({ name, wanted }) =>
        mergesOf(
          stage,
          name,
          wanted.map(({ step }) => step),
        ),
      ),
    );
    for (const [i, { at: place, role }] of weights.flatMap(({ wanted }) => wanted).entries()) {
      merges.set(place, { ...merges.get(place), [role]: results[i]! });
    }
  });
  try {
    for (const each of await Promise.allSettled(made)) if (each.status === "rejected") throw each.reason;
    return await work(merges);
  } finally {
    device.free(...[...merges.values()].flatMap((roles) => Object.values(roles)));
  }
}

/**
 * Large weights of a layer that several candidates or shares merge, the largest first, so that lanes end at about the same time; where
 * merges go over memory once, those of a single one too.
 */
function manyMerges({ tensors, merging }: MergedStage, at: readonly PathStage[]): ManyMerges[] {
  const wanted = new Map<string, ManyMerges["wanted"]>();
  const places = new Set(at);
  const isDivided = at.length > places.size;
  const isWorthIt = (merges: number, elements: number): boolean =>
    merging.device.mergesAtOnce || ((merges > 1 || isDivided) && merges * elements <= MOST_ELEMENTS);
  for (const place of places) {
    if (place.stage.place.layer === undefined) continue;
    for (const [role, { name, step }] of Object.entries(place.sources)) {
      if (step.method !== "passthrough") wanted.set(name, [...(wanted.get(name) ?? []), { at: place, role, step }]);
    }
  }
  const all = Array.from(wanted, ([name, own]) => {
    const base = tensors.get(name)![merging.base]!;
    const elements = elementCount(base.shape);
    return { name, wanted: own, elements, bytes: own.length * elements * bytesPerElement[storedDtype(base)] };
  });
  return all
    .filter(({ elements, wanted: { length } }) => elements >= LEAST_ELEMENTS && isWorthIt(length, elements))
    .toSorted((one, other) => other.elements - one.elements);
}

/** Weights together that take longer to merge than a run takes to begin; the next is written down meanwhile. */
function inRuns(weights: readonly ManyMerges[]): ManyMerges[][] {
  const runs: ManyMerges[][] = [];
  let bytes = Infinity;
  for (const weight of weights) {
    if (bytes >= RUN_BYTES) {
      runs.push([]);
      bytes = 0;
    }
    runs.at(-1)?.push(weight);
    bytes += weight.bytes;
  }
  return runs;
}

/** One weight by all these steps, which share what they read and what each expert adds to the base. */
function mergesOf({ merging, tensors }: MergedStage, name: string, steps: readonly Step[]): Expression[] {
  const { base, experts, parents } = merging;
  const stored = tensors.get(name)!;
  const models = mapValues(stored, (tensor) => cast(input(tensor), "f32"));
  const differences = experts.map((expert) => sub(models[expert]!, models[base]!));
  const shared = { models, base, experts, differences, dtype: storedDtype(stored[base]!) };
  return steps.map((step) => mergeTensor({ ...shared, ...parents.known(name, step) }, step));
}

/** What in a graph of a candidate's stage stands for weights that are merged already. */
export function mergedInputs(
  { merges }: Pick<StageRun, "merges">,
  at: PathStage,
  { merged }: Pick<StageGraph, "merged">,
): Map<Expression, Expression> {
  return new Map(Object.entries(merges?.get(at) ?? {}).map(([role, tensor]) => [merged[role]!, input(tensor)]));
}
