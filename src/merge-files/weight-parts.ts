import type { StoredTensor } from "../checkpoint/safetensors-header.ts";
import type { FilePlace } from "../checkpoint/weight-file.ts";
import type { ParentFacts } from "../merge/facts.ts";
import type { Step } from "../merge/recipe.ts";
import { divisionOf, needsOf } from "../merge/needs-of.ts";
import { bytesPerElement, elementCount } from "../tensor/dtype.ts";
import { PIECE } from "./kernel-memory.ts";
import type { PlannedWeight } from "./plan.ts";
import type { ParentTensor, ElementRange } from "./task.ts";

/** Elements of a part unless others are asked for: a large weight is merged by all threads, and hashed close behind them. */
export const PART = 128 * PIECE;

/** Elements of a weight that are merged at once, and where they go. */
export interface WeightPart {
  readonly weight: PlannedWeight;
  readonly part: ElementRange;
  /** Bytes of whole tensors that are in memory meanwhile. */
  readonly held: number;
  /** What was found of the weight, for whichever part asked first; undefined leaves it to who merges. */
  readonly factsOf: Learning;
  /** The place of the weight, and that of the part in its file. */
  readonly target: FilePlace;
  readonly start: number;
  readonly bytes: number;
}

/** Finds what a merge asks of a weight as a whole. */
type Learning = (parents: readonly ParentTensor[]) => Promise<ParentFacts | undefined>;

/**
 * All parts of a weight, each of `most` elements. Not divided is one that holds whole tensors, or that needs numbers of each of
 * its vectors, which are many.
 */
export function weightParts(
  weight: PlannedWeight,
  { start, dtype }: StoredTensor,
  file: Omit<FilePlace, "start">,
  { held, most, learn }: { readonly held: number; readonly most: number; readonly learn: Learning },
): readonly WeightPart[] {
  const all = elementCount(weight.spec.shape);
  const asked = askedOf(weight.step);
  const size = held > 0 || asked === "vectors" ? all : most;
  const firsts = Array.from({ length: Math.max(1, Math.ceil(all / size)) }, (_, i) => i * size);
  const isDivided = firsts.length > 1 && asked === "whole";
  let learned: ReturnType<Learning> | undefined;
  const factsOf: Learning = async (parents) => (isDivided ? (learned ??= learn(parents)) : undefined);
  return firsts.map((first) => {
    const part = { first, count: Math.min(size, all - first) };
    const [offset, bytes] = [first, part.count].map((elements) => elements * bytesPerElement[dtype]) as [
      number,
      number,
    ];
    return { weight, part, held, factsOf, target: { ...file, start }, start: start + offset, bytes };
  });
}

/** Of what a merge must know something. */
function askedOf(step: Step): "nothing" | "whole" | "vectors" {
  const division = divisionOf(step);
  if (division === "rows" || division === "columns") return "vectors";
  return division === "whole" || needsOf(step)?.cuts ? "whole" : "nothing";
}
