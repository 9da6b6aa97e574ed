import type { Evaluation, Selection } from "../../evaluate/evaluator.ts";
import type { ScoreOptions } from "../../evaluate/scorer.ts";
import type { PartStore } from "../../evaluate/scored-parts.ts";
import { knownTensors } from "../../experiment/identity.ts";
import type { WorkTime } from "../../evaluate/pace.ts";
import type { RecordedTime, ScoringScope, ScoringStep } from "../../journal/records.ts";
import type { Recipe } from "../../merge/recipe.ts";
import type { Phase } from "../session/events.ts";
import { afterPhaseMs } from "../estimates/finish-time.ts";
import type { Session } from "../session/session.ts";

/** Unless a run says otherwise: what a crash may cost, and what reading all parents again should be little beside. */
export const PART_MS = 3 * 60_000;

/** The step that records what a phase scores, and what scores it: losses that are compared come from one evaluator. */
const phases: Readonly<
  Record<Exclude<Phase, "texts" | "export">, { readonly step: ScoringStep; readonly by: "evaluator" | "signal" }>
> = {
  baselines: { step: "rung", by: "evaluator" },
  search: { step: "result", by: "signal" },
  finalists: { step: "finalists", by: "evaluator" },
  guard: { step: "verdict", by: "evaluator" },
};

/** What recipes made of rows, and what was scored since the last part that was recorded. */
export interface Scored {
  readonly evaluations: readonly Evaluation[];
  readonly time: RecordedTime;
}

export interface InPartsOptions extends Pick<ScoreOptions, "signal" | "digestOf"> {
  /** What is scored, where only the step itself says it; for a resumed run, which goes on with it. */
  readonly scope?: ScoringScope;
  /** Told the share of it that is done. */
  readonly onShare?: (share: number) => void;
  /** What comes behind baselines, where no time ends the search. */
  readonly afterMs?: number | undefined;
}

/**
 * Scores recipes on rows for the step that is being computed, and tells the progress of its phase. Whenever that has
 * taken a while it is recorded, and a resumed run goes on from there; the scores have the same bits however often.
 */
export async function scoreInParts(
  session: Session,
  phase: keyof typeof phases,
  recipes: readonly Recipe[],
  selection: Selection,
  { scope, onShare, afterMs, ...options }: InPartsOptions,
): Promise<Scored> {
  const { workspace, recorder, clock, paces, partMs, signal: interruption } = session;
  const { step, by } = phases[phase];
  let time: WorkTime = { models: recipes.length, tokens: 0, passes: 0, ms: 0, waitMs: 0 };
  const onTime = (taken: WorkTime): void => {
    time = taken;
    paces[by].learn(taken);
  };
  const parts: PartStore = {
    place: `${recorder.folder}, ${step}`,
    kept: recorder.partsOf(step, scope).map(({ batches, logLikelihoods }) => ({
      batches,
      count: logLikelihoods.count,
      read: () => recorder.readNumbers(logLikelihoods),
    })),
    partMs,
    // A person who interrupts will come back; time that has run out will not.
    keepsLittle: () => interruption?.aborted === true,
    keep: ({ batches, logLikelihoods: values, time: taken }) => {
      recorder.recordParents(() => knownTensors(workspace));
      const logLikelihoods = recorder.storeNumbers(values);
      paces[by].learn(taken);
      const { elapsedMs } = clock;
      recorder.recordPart({
        type: "part",
        of: step,
        batches,
        logLikelihoods,
        ...(scope && { scope }),
        time: taken,
        elapsedMs,
      });
    },
  };
  const onProgress = progressOf(session, phase, { onShare, afterMs });
  const evaluations = await workspace[by].evaluate(recipes, selection, { ...options, parts, onProgress, onTime });
  recorder.recordParents(() => knownTensors(workspace));
  return { evaluations, time };
}

/** Tells the progress of a phase, and what comes behind it, but where that has what the budget leaves it. */
export function progressOf(
  session: Session,
  phase: Exclude<Phase, "export">,
  { onShare, afterMs }: { readonly [Key in "onShare" | "afterMs"]?: InPartsOptions[Key] | undefined } = {},
): (share: number) => void {
  const { clock, emit } = session;
  const isBudgets = phase === "baselines" || (phase === "search" && clock.isTimed);
  const after = isBudgets ? afterMs : afterPhaseMs(session, phase);
  return (share) => {
    onShare?.(share);
    emit({
      type: "progress",
      phase,
      share,
      ...(clock.isTimed && { leftMs: Math.max(0, clock.remainingMs) }),
      ...(after !== undefined && { afterMs: after }),
    });
  };
}
