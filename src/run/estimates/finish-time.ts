import type { Selection } from "../../evaluate/evaluator.ts";
import { EFFORTS, mostThatFits, TEXT_ROWS, type Effort } from "./effort.ts";
import { scoringMs, slowestPassMs, slowestScoringMs } from "./costs.ts";
import type { RowCounts } from "../../journal/records.ts";
import { finalistsIn, guardedModels, mostPicks } from "./finish-models.ts";
import type { Session } from "../session/session.ts";

/** Estimates are of a shared machine: where a budget of time depends on them, what a phase took in its slowest moment is stretched by this. */
const SAFETY = 1.25;
/** Of a slow disk, for reading every parent once, and for writing and reading back the winner. */
const EXPORT_BYTES_PER_MS = 200_000;
const EXPORT_FIXED_MS = 500;
/** Rows of each task, and how often a model is scored on them, that prove an export. */
const PROOF = { rows: 4, models: 2 } as const;

/** New tokens of a text, and how many times as long as a token that is scored each takes: a graph has one of each text. */
const WRITTEN = { tokens: 64, times: 12 } as const;

/** Expected wall-clock milliseconds of each phase after the search. */
export interface FinishTime {
  readonly finalistsMs: number;
  readonly guardMs: number;
  readonly textsMs: number;
  readonly exportMs: number;
  readonly totalMs: number;
}

/**
 * What the phases after the search take when so much is spent on them: under a budget of time as slow as the machine was at its
 * slowest, else as it is now.
 */
export function finishTime(session: Session, effort: Effort): FinishTime {
  const { order } = session;
  const rows = order.rows("search", searchCounts(session, effort));
  const finalistsMs = carefulScoringMs(session, finalistsIn(session, effort), rows);
  const picks = effort.guard === 1 ? mostPicks(session) : 0;
  const guardMs = effort.guard === 0 ? 0 : guardTime(session, order.counts("guard", effort.guard), picks);
  const [texts] =
    effort.texts === 0 || !session.clock.isTimed ? [] : textCounts(session, order.counts("guard", effort.guard));
  const textsMs = texts ? SAFETY * textTime(session, session.workspace.checkpoints.size + 1, texts) : 0;
  const exportMs = exportTime(session);
  return { finalistsMs, guardMs, textsMs, exportMs, totalMs: finalistsMs + guardMs + textsMs + exportMs };
}

/** What the phases behind this one take, as much as there is time for being spent on the finish. */
export function afterPhaseMs(session: Session, phase: "search" | "finalists" | "guard" | "texts"): number {
  const { guardMs, textsMs, exportMs, totalMs } = finishTime(session, finishWithin(session, session.clock.remainingMs));
  return { search: totalMs, finalists: guardMs + textsMs + exportMs, guard: textsMs + exportMs, texts: exportMs }[
    phase
  ];
}

/** Guard rows that texts may be written for, among so many, from the most to the least; nothing where no task wants texts. */
export function textCounts({ tasks }: Pick<Session, "tasks">, among: RowCounts): readonly RowCounts[] {
  const wanting = tasks.filter(({ guard }) => guard.some(({ kind }) => kind === "text"));
  const countOf = (most: number, name: string): number =>
    wanting.some((task) => task.name === name) ? Math.min(most, among[name] ?? 0) : 0;
  const counts = TEXT_ROWS.map((most) => Object.fromEntries(tasks.map(({ name }) => [name, countOf(most, name)])));
  return counts.filter((own) => Object.values(own).some((count) => count > 0));
}

/**
 * What so many models take to write texts for so many guard rows: each is merged once, as for a pass, which has a graph a stage;
 * then every token of all texts is one more graph.
 */
export function textTime(session: Session, models: number, counts: RowCounts): number {
  const { workspace, order } = session;
  const read = workspace.evaluator.tokensOf(order.rows("guard", counts));
  const texts = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const { passMs, tokenMs } = slowestPassMs(session, read);
  const graphMs = passMs / workspace.model.stages.length + WRITTEN.times * texts * tokenMs;
  return models * (passMs + read * tokenMs + WRITTEN.tokens * graphMs);
}

/** What the winner, its baselines and so many picks of a front take on so many guard rows. */
export function guardTime(session: Session, counts: RowCounts, picks = 0): number {
  const { order, comparison } = session;
  const models = guardedModels(session) + picks;
  const rows = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const comparingMs = comparison.onceMs + models * rows * comparison.rowMs;
  return carefulScoringMs(session, models, order.rows("guard", counts)) + safetyOf(session) * comparingMs;
}

/** What so many models take on these rows, with as much care as the budget asks for. */
function carefulScoringMs(session: Session, models: number, rows: Selection): number {
  const ms = session.clock.isTimed ? slowestScoringMs : scoringMs;
  return safetyOf(session) * ms(session, models, rows);
}

function safetyOf({ clock }: Pick<Session, "clock">): number {
  return clock.isTimed ? SAFETY : 1;
}

/**
 * What comes after all that is scored. Everything is opened again to export the winner, which is read back and scored on a few
 * rows; a resumed run reads the parents that nothing was scored with.
 */
export function exportTime(session: Session): number {
  const { order, againMs, exports, paces, workspace, clock } = session;
  const parents = [...workspace.checkpoints.values()];
  const unread = parents.reduce((sum, { unreadBytes }) => sum + unreadBytes, 0);
  // What was opened at the start was opened at the pace of that moment.
  const { mostSlowness, slowness: now } = paces.evaluator;
  const slowness = clock.isTimed ? Math.max(mostSlowness, paces.signal.mostSlowness) : now;
  const safety = safetyOf(session);
  const unreadMs = (safety * slowness * unread) / EXPORT_BYTES_PER_MS;
  if (!exports) return unreadMs;
  const bytes = parents.flatMap(({ tensors }) => [...tensors.values()]).reduce((sum, tensor) => sum + tensor.bytes, 0);
  const proofRows = order.rows("guard", order.counts("guard", 0, PROOF.rows));
  const copyMs = slowness * (againMs + (2 * bytes) / EXPORT_BYTES_PER_MS);
  return unreadMs + EXPORT_FIXED_MS + safety * copyMs + carefulScoringMs(session, PROOF.models, proofRows);
}

/** The most to spend on the finish that fits in a time, less than on one that was given up; the export has to be in any case. */
export function finishWithin(session: Session, ms: number, givenUp?: Effort): Effort {
  const less = givenUp ? EFFORTS.slice(EFFORTS.indexOf(givenUp) + 1) : EFFORTS;
  return mostThatFits(less, (effort) => finishTime(session, effort).totalMs <= ms);
}

/** The search rows that baselines and finalists meet. */
export function searchCounts({ order }: Pick<Session, "order">, { rows }: Effort): RowCounts {
  return order.counts("search", rows, rows === 0 ? 0 : undefined);
}
