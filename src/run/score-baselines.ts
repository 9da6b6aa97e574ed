import { UserError } from "../errors.ts";
import { BASE } from "../experiment/workspace.ts";
import type { RecordPayloads, TaskScores } from "../journal/records.ts";
import { listBaselines, type Baseline } from "./baselines.ts";
import { withDeadline } from "./deadline.ts";
import type { ObjectiveTask } from "./objective.ts";
import { scoreInParts } from "./score-in-parts.ts";
import { allRows, flatLosses, meanLosses, objectiveOf, scoredModel, type Session } from "./session.ts";

/** A baseline and what it scores on all search rows. */
export interface ScoredBaseline extends Baseline {
  readonly scores: TaskScores;
  readonly loss: number;
}

export interface ScoredBaselines {
  readonly baselines: readonly ScoredBaseline[];
  readonly objective: readonly ObjectiveTask[];
  /** Wall-clock time of one model on all search rows. */
  readonly evaluationMs: number;
}

/** Scores every baseline on all search rows in one pass; the uniform average sets the unit of each task. */
export async function scoreBaselines(session: Session): Promise<ScoredBaselines> {
  const { experiment, workspace, tasks, recorder, clock, emit } = session;
  const parents = { base: BASE, experts: workspace.experts, layers: workspace.model.layers };
  const baselines = listBaselines(experiment, parents);
  const record = await recorder.step("baselines", async () => {
    const recorded = await withDeadline(clock.searchMs(0), session.signal, (signal) =>
      score(session, baselines, signal),
    );
    if (recorded) return recorded;
    throw new UserError("the time budget ended before the baselines were scored; give a longer one, or fewer rows");
  });
  emit({ type: "baselines", models: record.models });
  return {
    baselines: baselines.map((baseline, i) => {
      const { scores = {}, loss = Number.NaN } = record.models[i] ?? {};
      return { ...baseline, scores, loss };
    }),
    objective: objectiveOf(tasks, record.scales),
    evaluationMs: record.evaluationMs,
  };
}

/** Models whose loss is finite, the least first; equals keep their order. */
export function bestFirst<T extends { readonly loss: number }>(models: readonly T[]): T[] {
  return models.filter(({ loss }) => Number.isFinite(loss)).toSorted((a, b) => a.loss - b.loss);
}

async function score(
  session: Session,
  baselines: readonly Baseline[],
  signal: AbortSignal,
): Promise<RecordPayloads["baselines"]> {
  const { tasks, recorder, clock } = session;
  const rows = allRows(tasks, "search");
  const recipes = baselines.map(({ recipe }) => recipe);
  const { evaluations, ms } = await scoreInParts(session, "baselines", recipes, rows, { signal });
  const average = evaluations[baselines.findIndex(({ kind }) => kind === "average")];
  if (!average) throw new Error("baselines: no uniform average");
  const scales = meanLosses(average);
  checkScales(scales);
  const objective = objectiveOf(tasks, scales);
  return {
    models: baselines.map((baseline, i) => scoredModel(baseline, evaluations[i] ?? average, rows, objective)),
    scales,
    evaluationMs: ms / baselines.length,
    rowLosses: recorder.storeLosses(flatLosses(evaluations)),
    elapsedMs: clock.elapsedMs,
  };
}

/** Every loss of the run is divided by these. */
function checkScales(scales: Readonly<Record<string, number>>): void {
  for (const [task, loss] of Object.entries(scales)) {
    if (loss > 0 && Number.isFinite(loss)) continue;
    throw new UserError(
      `task ${task}: expected a finite loss above 0 of the uniform average of the experts, found ${loss}; check that they come from one base`,
    );
  }
}
