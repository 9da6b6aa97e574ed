/** What a run will take, by the pace of what was scored. */
import type { RecordPayloads } from "../../journal/records.ts";
import { type Effort, EFFORTS } from "../estimates/effort.ts";
import { finishTime } from "../estimates/finish-time.ts";
import { enoughGenerations, generationMs, rowFractionFor } from "../estimates/search-cost.ts";
import { evaluationsIn, generationKind } from "../estimates/search-kind.ts";
import type { Session } from "../session/session.ts";
import type { Baseline } from "./baselines.ts";
import { baselineEffort, baselinesMs } from "./plan-rungs.ts";
import type { ScoredRungs } from "./scored-rungs.ts";

/** A search of fewer generations is worth saying that more time would be better spent. */
const FEW_GENERATIONS = 10;

export type Expectations = Pick<
  RecordPayloads["forecast"],
  "baselinesMs" | "generationMs" | "finishMs" | "generations" | "wholeMs" | "isSmall"
>;

/** What the phases to come take, and how many generations fit, by the paces that the session knows. */
export function expectations(session: Session, listed: readonly Baseline[], rungs: ScoredRungs): Expectations {
  const { clock, experiment } = session;
  const { effort, baselines, finish, searchMs, fraction } = division(session, listed, rungs);
  const kind = generationKind(session);
  const own = generationMs(session, kind, fraction);
  const generations =
    "evaluations" in experiment.budget
      ? Math.floor(experiment.budget.evaluations / evaluationsIn(kind))
      : Math.max(0, Math.floor(searchMs / own));
  return {
    baselinesMs: baselines,
    generationMs: own,
    finishMs: finish,
    generations,
    wholeMs: wholeMs(session, listed, rungs),
    // Texts tell nothing that is searched on.
    isSmall: clock.isTimed && (EFFORTS.indexOf(effort) > 1 || generations < FEW_GENERATIONS),
  };
}

/** How the budget is divided, in milliseconds, and the fraction of the search rows that a generation has then. */
export function division(
  session: Session,
  listed: readonly Baseline[],
  rungs: ScoredRungs,
): Readonly<{ effort: Effort } & Record<"baselines" | "finish" | "searchMs" | "fraction", number>> {
  const effort = baselineEffort(session, listed, rungs);
  const baselines = baselinesMs(session, listed, rungs, effort);
  const finish = finishTime(session, effort).totalMs;
  const searchMs = session.clock.remainingMs - baselines - finish;
  return { effort, baselines, finish, searchMs, fraction: rowFractionFor(session, generationKind(session), searchMs) };
}

/** The budget that has room for everything: all baselines on all rows, enough generations and the whole finish. */
function wholeMs(session: Session, listed: readonly Baseline[], rungs: ScoredRungs): number {
  const [all] = EFFORTS;
  if (!all) throw new Error("forecast: no effort");
  const besideMs =
    session.clock.elapsedMs + baselinesMs(session, listed, rungs, all) + finishTime(session, all).totalMs;
  const kind = generationKind(session);
  const fraction = rowFractionFor(session, kind, besideMs);
  return besideMs + Math.max(besideMs, enoughGenerations(session) * generationMs(session, kind, fraction));
}
