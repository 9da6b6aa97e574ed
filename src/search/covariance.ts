/** One term `weight * vector vector^T` of an update. */
export interface RankOneTerm {
  readonly weight: number;
  readonly vector: Float64Array;
}

/** The covariance matrix C of a search distribution, n x n and positive definite, as an evolution strategy uses it. */
export interface Covariance {
  /** C as rows, a copy. */
  readonly matrix: Float64Array[];
  /** Standard deviation of every coordinate. */
  readonly deviations: Float64Array;
  /** Standard deviation along the longest principal axis, as of the latest `factorize`. */
  readonly largestDeviation: number;
  /** C^(1/2) z: a sample of N(0, C) when z is one of N(0, I). */
  color(z: Float64Array): Float64Array;
  /** C^(-1/2) y, whose length is the Mahalanobis length of y. */
  whiten(y: Float64Array): Float64Array;
  /** C <- keep * C + sum of the terms. */
  update(keep: number, terms: readonly RankOneTerm[]): void;
  /** C <- F C F for the diagonal matrix F of `factors`. */
  rescale(factors: Float64Array): void;
  /** Brings the roots up to date, by which `color` and `whiten` go. */
  factorize(): void;
}
