/**
 * A search over the unit cube by whole generations. It is deterministic in its options and the told losses, so asking
 * again and telling the recorded losses resumes it, to the last bit.
 */
export interface Optimizer {
  /** Candidates of the next generation, points in the unit cube; asking twice without telling is a bug and throws. */
  ask(): Float64Array[];
  /**
   * Losses in the order asked, to be minimised; one that is not finite marks a failed candidate, which ranks last.
   * `meanLoss` is that of `mean` on the same rows: other generations met other rows, and losses of both do not compare.
   */
  tell(losses: readonly number[], meanLoss: number): void;
  /** The point to recommend now, in the unit cube. */
  readonly mean: Float64Array;
  /** Number of generations told. */
  readonly generation: number;
  /** True when the step is below 1e-3 of the range in all directions, so that further generations change nothing. */
  readonly converged: boolean;
}

/** What every optimizer is made from. */
export interface OptimizerOptions {
  /** Where the search begins, a point in the unit cube; its length is the dimension. */
  readonly start: Float64Array;
  /** Initial standard deviation of a coordinate, as a part of its range. */
  readonly sigma: number;
  /** Multiplies `sigma` per coordinate; all ones by default. */
  readonly scales?: Float64Array;
  /** Candidates per generation, at least 2. */
  readonly populationSize?: number;
  readonly seed: number;
  /** The first candidates of the first generation, points in the unit cube; at most a population. */
  readonly inject?: readonly Float64Array[];
}
