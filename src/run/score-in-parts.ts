import type { Evaluation, Selection } from "../evaluate/evaluator.ts";
import type { ScoreOptions } from "../evaluate/generation-scorer.ts";
import type { PartStore } from "../evaluate/scored-parts.ts";
import { knownTensors } from "../experiment/identity.ts";
import type { ScoringStep } from "../journal/records.ts";
import type { Recipe } from "../merge/recipe.ts";
import type { Phase } from "./events.ts";
import type { Session } from "./session.ts";

/** Unless a run says otherwise: what a crash may cost, and what reading all parents again should be little beside. */
export const PART_MS = 3 * 60_000;

/** The step that records what a phase scores, and what scores it: losses that are compared come from one evaluator. */
const phases: Readonly<
  Record<Exclude<Phase, "export">, { readonly step: ScoringStep; readonly by: "evaluator" | "signal" }>
> = {
  baselines: { step: "baselines", by: "evaluator" },
  search: { step: "result", by: "signal" },
  finalists: { step: "finalists", by: "evaluator" },
  guard: { step: "verdict", by: "evaluator" },
};

/** What recipes made of rows, and the wall-clock time of all parts of it, those of earlier sittings included. */
export interface Scored {
  readonly evaluations: readonly Evaluation[];
  readonly ms: number;
}

/**
 * Scores recipes on rows for the step that is being computed, and tells the progress of its phase. Whenever that has
 * taken a while it is recorded, and a resumed run goes on from there; the scores have the same bits however often.
 */
export async function scoreInParts(
  { workspace, recorder, clock, partMs, emit, signal: interruption }: Session,
  phase: keyof typeof phases,
  recipes: readonly Recipe[],
  selection: Selection,
  options: Pick<ScoreOptions, "signal" | "digestOf">,
): Promise<Scored> {
  const { step, by } = phases[phase];
  const earlier = recorder.partsOf(step);
  let ms = earlier.reduce((sum, part) => sum + part.ms, 0);
  let lastMs = clock.elapsedMs;
  /** Milliseconds since the last part. */
  const sinceLast = (): number => {
    const before = lastMs;
    lastMs = clock.elapsedMs;
    ms += lastMs - before;
    return lastMs - before;
  };
  const parts: PartStore = {
    place: `${recorder.folder}, ${step}`,
    kept: earlier.map(({ batches, logLikelihoods }) => ({
      batches,
      count: logLikelihoods.count,
      read: () => recorder.readLosses(logLikelihoods),
    })),
    partMs,
    // A person who interrupts will come back; time that has run out will not.
    keepsLittle: () => interruption?.aborted === true,
    keep: ({ batches, logLikelihoods }) => {
      recorder.recordParents(() => knownTensors(workspace));
      const stored = recorder.storeLosses(logLikelihoods);
      recorder.recordPart({ of: step, batches, logLikelihoods: stored, ms: sinceLast(), elapsedMs: lastMs });
    },
  };
  const onProgress = (share: number): void => {
    const leftMs = clock.remainingMs;
    emit({ type: "progress", phase, share, ...(Number.isFinite(leftMs) && { leftMs: Math.max(0, leftMs) }) });
  };
  const evaluations = await workspace[by].evaluate(recipes, selection, { ...options, parts, onProgress });
  recorder.recordParents(() => knownTensors(workspace));
  sinceLast();
  return { evaluations, ms };
}
