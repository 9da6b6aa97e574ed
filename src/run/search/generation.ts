import type { Selection } from "../../evaluate/evaluator.ts";
import type { RecordPayloads } from "../../journal/records.ts";
import type { Candidate } from "../../search/optimizer.ts";
import { joined } from "../../tensor/float64.ts";
import { combinedLoss, type ObjectiveTask } from "../session/objective.ts";
import type { RowLossMap } from "./overall-loss.ts";
import type { Plan } from "./plan-search.ts";
import { type AskedRows, recordAsk } from "./record-ask.ts";
import { scoreGeneration } from "./score-generation.ts";
import type { InPartsOptions } from "../scoring/score-in-parts.ts";
import { scoreInTime } from "../scoring/score-in-time.ts";
import { evaluationsIn, frontKindOf, generationKind } from "../estimates/search-kind.ts";
import { evaluationsLeft, spentWith } from "./search-room.ts";
import type { ScoredReference, SearchState } from "./search-state.ts";
import { leastFinishMs, searchMsLeft } from "../estimates/search-time.ts";
import { flatLosses, type Session } from "../session/session.ts";
import { areFlat, toldScores } from "./told-scores.ts";

type Result = RecordPayloads["result"];

/** By which losses of a search become one, and are told. */
export interface Scale {
  readonly objective: readonly ObjectiveTask[];
  /** Combined loss of the best baseline, and its loss on each row that it met. */
  readonly baseline: number;
  readonly baselineLosses: RowLossMap;
}

/** Asks, scores and tells one generation, all of it on the same fresh rows, unless time runs out in its midst. */
export async function generation(
  session: Session,
  search: SearchState,
  plan: Plan,
  scale: Scale,
): Promise<"told" | "out of time"> {
  const { recorder, clock } = session;
  const { optimizer } = search;
  const candidates = (search.asked ??= optimizer.ask());
  const { rows, counts, parts } = await recordAsk(session, plan, search, candidates);
  if (recorder.upcoming === undefined ? recorder.readOnly : recorder.upcoming !== "result") return "out of time";
  const replayed = recorder.replaying;
  const began = clock.elapsedMs;
  const result = await takeResult(session, search, plan, scale.objective, { candidates, rows, counts, parts });
  if (!replayed) clock.searched(clock.elapsedMs - began);
  if (!result) return "out of time";
  search.evaluations += evaluationsIn(generationKind(session, optimizer));
  const scores = toldScores(session, result, scale.objective, rows);
  optimizer.tell(scores, result.spent);
  search.asked = undefined;
  search.means.push(optimizer.recommend());
  if (frontKindOf(session) === "survivors") {
    search.sameRows ??= counts;
    search.fronts.length = 0;
  }
  if (optimizer.front) search.fronts.push(optimizer.front);
  search.lastScored = scoredReference(candidates, rows, result);
  search.overall.meet(rows, referenceLosses(session, result));
  const beginsAgain = optimizer.restart?.after === optimizer.generation;
  search.flat = areFlat(scores, result.reference) && !beginsAgain ? search.flat + 1 : 0;
  search.work += result.work;
  tellGeneration(session, search, plan, scale, { result, replayed });
  if (beginsAgain) session.emit({ type: "restarted", candidates: optimizer.candidates, replayed });
  return "told";
}

interface Generation extends AskedRows {
  readonly candidates: readonly Candidate[];
}

/** Scores a generation, or reads what was scored of it; undefined where it took so long that the finish needs the time. */
async function takeResult(
  session: Session,
  search: SearchState,
  plan: Plan,
  objective: readonly ObjectiveTask[],
  { candidates, rows, parts }: Generation,
): Promise<Result | undefined> {
  const { recorder, clock } = session;
  if (recorder.replaying) return recorder.step("result", unreachable);
  const points = candidates.map(({ point }) => point);
  const weights = everyOne(candidates.map((candidate) => candidate.weights));
  const began = clock.elapsedMs;
  const compute = async (inTime: InPartsOptions): Promise<Result> => {
    const asked = { points, rows, parts, ...(weights && { weights }) };
    const { evaluations, gradients, time } = await scoreGeneration(session, asked, objective, inTime);
    return {
      generation: search.optimizer.generation,
      losses: evaluations.map((evaluation) => combinedLoss(evaluation, objective)),
      reference: candidates.findIndex(({ isReference }) => isReference),
      rowLosses: recorder.storeNumbers(flatLosses(evaluations)),
      ...(gradients && { gradients: recorder.storeNumbers(joined(gradients)) }),
      work: evaluationsIn(generationKind(session, search.optimizer)) * shareOf(session, rows),
      spent: spentWith(session, plan, search, clock.elapsedMs - began),
      time,
      elapsedMs: clock.elapsedMs,
    };
  };
  const by = generationKind(session).usesGradients ? "gradient" : "signal";
  const timely = { models: points.length, rows, by, afterMs: leastFinishMs(session, plan) } as const;
  return scoreInTime(session, timely, (inTime) => recorder.step("result", () => compute(inTime)));
}

function unreachable(): never {
  throw new Error("search: a recorded generation was scored");
}

/** Of all search rows. */
function shareOf({ tasks }: Session, rows: Selection): number {
  return countOf(Object.values(rows)) / countOf(tasks.map(({ search }) => search));
}

function countOf(lists: readonly { readonly length: number }[]): number {
  return lists.reduce((sum, { length }) => sum + length, 0);
}

function scoredReference(
  candidates: Generation["candidates"],
  rows: Selection,
  { losses, reference: index, rowLosses }: Result,
): ScoredReference | undefined {
  const point = candidates[index]?.point;
  return point && { point, rows, loss: losses[index] ?? Number.NaN, rowLosses, index };
}

function referenceLosses({ recorder }: Session, { losses, reference, rowLosses }: Result): Float64Array {
  const all = recorder.readNumbers(rowLosses);
  const count = all.length / losses.length;
  return all.subarray(reference * count, (reference + 1) * count);
}

function everyOne<T>(all: readonly (T | undefined)[]): readonly T[] | undefined {
  const given = all.filter((one) => one !== undefined);
  return given.length === all.length ? given : undefined;
}

function tellGeneration(
  session: Session,
  search: SearchState,
  plan: Plan,
  { baseline, baselineLosses, objective }: Scale,
  { result, replayed }: { readonly result: Result; readonly replayed: boolean },
): void {
  const { losses, reference, gradients } = result;
  const referenceLoss = losses[reference] ?? Number.NaN;
  const isTimed = "seconds" in session.experiment.budget;
  session.emit({
    type: "generation",
    generation: result.generation,
    ...(gradients
      ? { best: referenceLoss }
      : { best: Math.min(...losses.toSpliced(reference, 1).filter(Number.isFinite)), mean: referenceLoss }),
    overall: search.overall.from(baselineLosses, objective),
    baseline,
    work: search.work,
    spent: result.spent,
    elapsedMs: result.elapsedMs,
    left: isTimed ? { ms: searchMsLeft(session, plan) } : { evaluations: evaluationsLeft(session, search) },
    replayed,
  });
}
