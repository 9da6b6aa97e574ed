/** A point of a generation, to be scored on the rows of the generation. */
export interface Candidate {
  /** In the unit cube. */
  readonly point: Float64Array;
  /** Whether its score has to have the gradient. */
  readonly wantsGradient: boolean;
  /**
   * True of exactly one of a generation, which shows how far the search is: it was not chosen for its luck on any rows, and
   * generations that met other rows do not compare otherwise.
   */
  readonly isReference: boolean;
  /** Of the objectives in the loss whose gradient it wants, which sum to 1; those of the combined loss unless given. */
  readonly weights?: readonly number[];
}

/** What became of a candidate. */
export interface Score {
  /** Combined loss, to be minimised; one that is not finite marks a failed candidate, which ranks last. */
  readonly loss: number;
  /** Derivatives of the loss, as the candidate weighs the objectives, by the coordinates of the unit cube, where the candidate wants them; any that is not finite marks a failure. */
  readonly gradient?: Float64Array;
  /** For each objective its loss, where an optimizer wants these; any that is not finite marks a failed candidate. */
  readonly losses?: readonly number[];
}

/** Where a search stands that has begun again, apart from where it had come to. */
export interface Restart {
  /** Generations that had been told by then. */
  readonly after: number;
  /**
   * Points that may be better than the recommended one, for all that losses on the rows of single generations say, the
   * likeliest first; to be compared with it on more rows.
   */
  readonly rivals: readonly Float64Array[];
}

/** The distribution that a search has learnt to draw from, in which another may begin. */
export interface LearntDistribution {
  /** In the unit cube. */
  readonly mean: Float64Array;
  /** In parts of the ranges: a variance for each coordinate, or the lower triangle of the covariances, row by row. */
  readonly covariance: Float64Array;
}

/**
 * A search over the unit cube by whole generations. It is deterministic in its options and the told scores, so asking
 * again and telling the recorded scores resumes it, to the last bit. All candidates of a generation meet the same rows.
 */
export interface Optimizer {
  /** Candidates of the next generation; asking twice without telling is a bug and throws. */
  ask(): readonly Candidate[];
  /**
   * Scores in the order asked, and which part of what the search may spend is spent now, from 0 to 1: by it steps become
   * shorter, and a larger budget makes them longer again.
   */
  tell(scores: readonly Score[], spent: number): void;
  /** The point to take now, in the unit cube; no point that failed. */
  recommend(): Float64Array;
  /** Number of generations told. */
  readonly generation: number;
  /** How many candidates the next generation has, or one that was asked and is not told yet. */
  readonly candidates: number;
  /** That of the recommended point; absent of a search that learns none. */
  readonly learnt?: LearntDistribution | undefined;
  /** Absent of a search that has not begun again since it converged. */
  readonly restart?: Restart | undefined;
  /** Of a search for several objectives: where it stands, a point for each way of weighing them, or as many as are no worse than others. */
  readonly front?: readonly Float64Array[];
  /**
   * True when the step is so small in all directions that further generations change nothing: that of a distribution below
   * 1e-3 of the range, that of a walk for a while, however short steps have become as the budget was spent.
   */
  readonly converged: boolean;
  /**
   * True when all candidates failed where the search begins, or next to where it stands and for a while: it would ask for the
   * same points again. Absent of a search that draws others.
   */
  readonly isStuck?: boolean;
}

/** What every optimizer is made from. */
export interface OptimizerOptions {
  /** Where the search begins, a point in the unit cube; its length is the dimension. */
  readonly start: Float64Array;
  /** Initial standard deviation of a coordinate, as a part of its range. */
  readonly sigma: number;
  /** Multiplies `sigma` per coordinate; all ones by default. */
  readonly scales?: Float64Array;
  /** Of the distribution to begin with, as `learnt` has it, around `start`; where it has contracted it is widened again. */
  readonly covariance?: Float64Array;
  /** How many values a coordinate has, which are equal parts of its range; 0 where it may have any, as all have by default. */
  readonly levels?: readonly number[];
  /** Length of a coordinate's steps by gradient at the beginning, as a part of its range; 1/15 by default. */
  readonly rates?: Float64Array;
  /** Candidates per generation, at least 2, beside a reference that is none of them. */
  readonly populationSize?: number;
  readonly seed: number;
  /** The share of each objective in the combined loss; one objective unless given. */
  readonly objectives?: readonly number[];
  /** The first candidates of the first generation, points in the unit cube; at most a population. */
  readonly inject?: readonly Float64Array[];
}
