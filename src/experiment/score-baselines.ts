import { UserError } from "../errors.ts";
import type { RecordPayloads } from "../journal/records.ts";
import { listBaselines, type Baseline } from "./baselines.ts";
import { withDeadline } from "./deadline.ts";
import type { ObjectiveTask } from "./objective.ts";
import { allRows, evaluate, flatLosses, meanLosses, objectiveOf, scoredModel, type Session } from "./session.ts";
import { BASE } from "./workspace.ts";

export interface ScoredBaselines {
  readonly baselines: readonly (Baseline & { readonly loss: number })[];
  readonly objective: readonly ObjectiveTask[];
  /** Wall-clock time of one model on all search rows. */
  readonly evaluationMs: number;
}

/** Scores every baseline on all search rows in one pass; the uniform average sets the unit of each task. */
export async function scoreBaselines(session: Session): Promise<ScoredBaselines> {
  const { experiment, workspace, tasks, recorder, clock, emit } = session;
  const parents = { base: BASE, experts: workspace.experts, layers: workspace.model.layers };
  const baselines = listBaselines(experiment.space, parents);
  const before = clock.elapsedMs;
  const record = await recorder.step("baselines", async () => {
    const recorded = await withDeadline(clock.searchMs(0), session.signal, (signal) =>
      score(session, baselines, signal),
    );
    if (recorded) return recorded;
    throw new UserError("the time budget ended before the baselines were scored; give a longer one, or fewer rows");
  });
  emit({ type: "baselines", models: record.models });
  return {
    baselines: baselines.map((baseline, i) => ({ ...baseline, loss: record.models[i]?.loss ?? Number.NaN })),
    objective: objectiveOf(tasks, record.scales),
    evaluationMs: (record.elapsedMs - (record.replayed ? 0 : before)) / baselines.length,
  };
}

async function score(
  session: Session,
  baselines: readonly Baseline[],
  signal: AbortSignal,
): Promise<RecordPayloads["baselines"]> {
  const { tasks, recorder, clock } = session;
  const rows = allRows(tasks, "search");
  const recipes = baselines.map(({ recipe }) => recipe);
  const evaluations = await evaluate(session, "baselines", recipes, rows, { signal });
  const average = evaluations[baselines.findIndex(({ kind }) => kind === "average")];
  if (!average) throw new Error("baselines: no uniform average");
  const scales = meanLosses(average);
  const objective = objectiveOf(tasks, scales);
  return {
    models: baselines.map((baseline, i) => scoredModel(baseline, evaluations[i] ?? average, rows, objective)),
    scales,
    rowLosses: recorder.storeLosses(flatLosses(evaluations)),
    elapsedMs: clock.elapsedMs,
  };
}
