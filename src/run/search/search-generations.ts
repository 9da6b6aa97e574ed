import { isMissed } from "../../journal/standing.ts";
import type { Optimizer } from "../../search/optimizer.ts";
import { leastLoss } from "./best-so-far.ts";
import { generation, type Scale } from "./generation.ts";
import type { Plan } from "./plan-search.ts";
import type { ScoredBaselines } from "../baselines/score-baselines.ts";
import { longest } from "../baselines/scored-rungs.ts";
import { generationMs, leastFraction } from "../estimates/search-cost.ts";
import { nextCounts } from "./search-room.ts";
import { evaluationsIn, generationKind, optimizerOf } from "../estimates/search-kind.ts";
import type { SearchState } from "./search-state.ts";
import type { Session } from "../session/session.ts";
import { whyStopped } from "./stopped-search.ts";

/** The loop of generations, which goes on from where the search stands. */
export async function searchGenerations(
  session: Session,
  search: SearchState,
  plan: Plan,
  scored: ScoredBaselines,
): Promise<void> {
  const { recorder, emit } = session;
  let isGivenUp = false;
  const scale = scaleOf(session, scored);
  while (!isGivenUp && mayGoOn(session, plan, search)) {
    isGivenUp = (await generation(session, search, plan, scale)) === "out of time";
  }
  const why = whyStopped(search);
  if (why !== undefined) emit({ type: "stopped", phase: "search", why });
  else if ((isGivenUp ? isMissed(search.means.length) : search.means.length === 0) && !recorder.readOnly)
    emit({ type: "skipped", phase: "search", why: search.asked ? tooSlow(session, search) : noRoom(session, search) });
}

/** On which losses of the search are told: that of the best baseline, which is what a merge has to beat. */
function scaleOf({ order, recorder }: Session, { baselines, objective, rungs }: ScoredBaselines): Scale {
  const { name, loss } = leastLoss(longest(baselines), []);
  return { objective, baseline: loss, baselineLosses: rungs.lossesOf(name, order, recorder) };
}

/** Whether another generation comes; a replayed search goes as far as its journal does, and another budget is planned first. */
function mayGoOn(session: Session, plan: Plan, search: SearchState): boolean {
  const { recorder } = session;
  if (recorder.upcoming !== undefined) return recorder.upcoming === "ask";
  return !recorder.readOnly && !recorder.replans && hasRoom(session, plan, search);
}

/** Whether another generation fits in the budget, and can change anything. */
export function hasRoom(session: Session, plan: Plan, search: SearchState): boolean {
  return whyStopped(search) === undefined && nextCounts(session, plan, search) !== undefined;
}

function noRoom(session: Session, { optimizer }: SearchState): string {
  const models = `one generation of ${candidatesText(session, optimizer)}`;
  const kind = generationKind(session, optimizer);
  if (!session.clock.isTimed) {
    const needed = evaluationsIn(kind);
    return `the budget has no room for ${models}, which counts as ${needed} evaluations`;
  }
  const needed = Math.ceil(generationMs(session, kind, leastFraction(session)) / 1000);
  return `the budget has no room for ${models}, which takes about ${needed} s on the fewest rows that tell anything`;
}

function tooSlow(session: Session, { optimizer, means }: SearchState): string {
  const generation = `generation ${optimizer.generation} of ${candidatesText(session, optimizer)}`;
  const advice = means.length === 0 ? "; resume the run with a larger budget" : "";
  return `${generation} takes longer than was expected and is given up, which leaves the finish its time${advice}`;
}

function candidatesText(session: Session, { candidates, restart }: Optimizer): string {
  const { beside } = optimizerOf(session);
  if (restart) return `${candidates - 2} candidates, their mean and the best mean before`;
  if (beside) return `${candidates - 1} candidates and ${beside === "mean" ? "their mean" : `the ${beside}`}`;
  return candidates === 1 ? "one candidate and its gradient" : `${candidates} candidates and their gradients`;
}
