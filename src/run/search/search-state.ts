import type { Selection } from "../../evaluate/evaluator.ts";
import type { NumbersRef, RowCounts } from "../../journal/records.ts";
import type { Candidate, Optimizer } from "../../search/optimizer.ts";
import { createOptimizer } from "./create-optimizer.ts";
import { OverallLoss } from "./overall-loss.ts";
import type { Plan } from "./plan-search.ts";
import type { Session } from "../session/session.ts";

/** A point that was scored as the reference of a generation, and where its losses are. */
export interface ScoredReference {
  readonly point: Float64Array;
  readonly rows: Selection;
  readonly loss: number;
  /** Of its generation, by candidate. */
  readonly rowLosses: NumbersRef;
  /** Which of the candidates it was. */
  readonly index: number;
}

/** A search as far as it has come; another budget goes on from here. */
export interface SearchState {
  readonly optimizer: Optimizer;
  /** What the optimizer recommended after every generation: the mean of a distribution, or where a walk was. */
  readonly means: Float64Array[];
  /** Of a search for several objectives, its front after every generation, or after the last one alone where that is no walk's. */
  readonly fronts: (readonly Float64Array[])[];
  /** Rows of every generation, where survivors of one are compared with the next; unknown before the first. */
  sameRows: RowCounts | undefined;
  /** The reference of the last generation. */
  lastScored: ScoredReference | undefined;
  /** What the references of all generations lost on their rows. */
  readonly overall: OverallLoss;
  /** The next generation, where it was asked and time ran out before it was scored. */
  asked: readonly Candidate[] | undefined;
  /** Generations, up to the last one, of which all candidates had nearly the same loss. */
  flat: number;
  /** Of all generations, in forward passes over all search rows. */
  work: number;
  /** What a budget of evaluations counts all generations as. */
  evaluations: number;
}

/** A search before its first generation. */
export function beginSearch(session: Session, plan: Plan): SearchState {
  return {
    optimizer: createOptimizer(session, plan, session.recorder),
    means: [],
    fronts: [],
    sameRows: undefined,
    lastScored: undefined,
    overall: new OverallLoss(),
    asked: undefined,
    flat: 0,
    work: 0,
    evaluations: 0,
  };
}
