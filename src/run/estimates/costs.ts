import type { Selection } from "../../evaluate/evaluator.ts";
import type { Work } from "../../evaluate/pace.ts";
import { GRADIENT_PASSES } from "../../search/optimizers.ts";
import { knownPace } from "../time/paces.ts";
import type { GenerationKind } from "./search-kind.ts";
import type { Session } from "../session/session.ts";

/** What of a run says how long a scoring takes. */
export type Costs = Pick<Session, "paces" | "partMs" | "workspace">;

/** So many models on these rows. */
function workOn({ paces, partMs, workspace }: Costs, models: number, rows: Selection): Work {
  return inParts({ models, tokens: workspace.evaluator.tokensOf(rows), passes: 1 }, paces.evaluator.expectedMs, partMs);
}

/** Expected milliseconds of so many models on these rows, for what is compared; as the machine is now. */
export function scoringMs(costs: Costs, models: number, rows: Selection): number {
  return costs.paces.evaluator.expectedMs(workOn(costs, models, rows));
}

/** The same at the slowest moment so far, whatever was scored then. */
export function slowestScoringMs(costs: Costs, models: number, rows: Selection): number {
  const { evaluator, signal, gradient } = costs.paces;
  return evaluator.slowestMs(workOn(costs, models, rows), Math.max(signal.mostSlowness, gradient.mostSlowness));
}

/** At that moment too, of one model: a pass without tokens, and each token beside it, where so many are read. */
export function slowestPassMs(
  { paces }: Pick<Costs, "paces">,
  tokens: number,
): { readonly passMs: number; readonly tokenMs: number } {
  const { evaluator, signal, gradient } = paces;
  const slowness = Math.max(signal.mostSlowness, gradient.mostSlowness);
  const of = (count: number): number => evaluator.slowestMs({ models: 1, tokens: count, passes: 1 }, slowness);
  return { passMs: of(0), tokenMs: (of(tokens) - of(0)) / Math.max(1, tokens) };
}

/** Expected milliseconds of a generation on so many tokens of each candidate. */
export function steeringMs(
  { paces, partMs }: Costs,
  { candidates, usesGradients }: GenerationKind,
  tokens: number,
): number {
  const { pace, times } = knownPace(paces, usesGradients ? "gradient" : "signal");
  const work = { models: candidates, tokens, passes: 1 };
  return times * pace.expectedMs(usesGradients ? work : inParts(work, pace.expectedMs, partMs));
}

/**
 * In how many parts the gradients of so many models are recorded: each takes about the time of a part, with others beside it where
 * several score, and so long that another one, which reads and merges everything again, costs a tenth of it at most. Infinity where
 * a part takes no time.
 */
export function gradientParts({ paces, partMs, workspace }: Costs, models: number, rows: Selection): number {
  if (partMs === 0) return Infinity;
  const { pace, times } = knownPace(paces, "gradient");
  const { lanes } = workspace.signal;
  const wholeMs = lanes * times * pace.expectedMs({ models, tokens: workspace.signal.tokensOf(rows), passes: 1 });
  // Gradients alone do not tell what a pass takes without tokens: most generations are of one size.
  const emptyMs = GRADIENT_PASSES * knownPace(paces, "signal").pace.expectedMs({ models, tokens: 0, passes: 1 });
  return 1 + Math.floor(wholeMs / Math.max(partMs, 10 * emptyMs));
}

/** What is recorded in parts reads the parents for each of them. */
function inParts(work: Work, expectedMs: (work: Work) => number, partMs: number): Work {
  return { ...work, passes: 1 + (partMs > 0 ? Math.floor(expectedMs(work) / partMs) : 0) };
}
