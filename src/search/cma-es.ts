import { expWithinOne } from "../tensor/elementary.ts";
import type { Covariance, RankOneTerm } from "./covariance.ts";
import { FullCovariance, fromTriangle, triangleOf } from "./full-covariance.ts";
import { PendingGeneration, rankSucceeded } from "./generation.ts";
import { defaultPopulationSize, strategyParameters, type StrategyParameters } from "./strategy-parameters.ts";

/** What a strategy knows of the covariance, and how fast it learns it. */
export interface CovarianceModel {
  /** The diagonal matrix with these standard deviations. */
  readonly begin: (deviations: Float64Array) => Covariance;
  /** The matrix that `learnt` wrote, for so many coordinates. */
  readonly from: (numbers: Float64Array, dimension: number) => Covariance;
  /** What tells the matrix. */
  readonly learnt: (covariance: Covariance) => Float64Array;
  readonly parameters: (dimension: number, populationSize: number) => StrategyParameters;
}

/**
 * The part of a fresh search's steps that those of a learnt distribution have at least: one that has converged would stand still, and
 * shrinks again in a few generations where it was right.
 */
const LEAST_PART = 1 / 4;

/** Any covariance, which takes some n^2 generations to learn, and n^3 operations for each decomposition. */
const full: CovarianceModel = {
  begin: FullCovariance.diagonal,
  from: (numbers, dimension) => new FullCovariance(fromTriangle(numbers, dimension)),
  learnt: ({ matrix }) => triangleOf(matrix),
  parameters: strategyParameters,
};

export interface CmaEsOptions {
  /** Initial mean m; its length is the dimension n. */
  readonly mean: Float64Array;
  /** Initial step size. */
  readonly sigma: number;
  /** Initial standard deviations relative to `sigma`; all ones by default. */
  readonly scales?: Float64Array;
  /** Of the distribution to begin with, in place of `scales`. */
  readonly covariance?: Float64Array;
  /** Candidates per generation, at least 2. */
  readonly populationSize?: number;
  /** Upper limit of every coordinate's standard deviation; none by default. */
  readonly maximumDeviation?: number;
  /** Points asked first in the first generation, at most a population. */
  readonly inject?: readonly Float64Array[];
  /** Draws independent standard normal numbers. */
  readonly normal: () => number;
  /** Any covariance by default. */
  readonly model?: CovarianceModel;
}

/** A candidate seen from the mean, in units of the step size. */
interface Deviation {
  readonly y: Float64Array;
  readonly injected: boolean;
}

/**
 * CMA-ES in R^n with active covariance update, minimising; numbers in parentheses are equations of Hansen, "The CMA
 * Evolution Strategy: A Tutorial", arXiv:1604.00772. It uses the ranks of losses only. A failed candidate says nothing
 * about direction, so its weight is zero, also where too few succeed: then the step shrinks back towards the mean.
 */
export class CmaEs {
  readonly #parameters: StrategyParameters;
  readonly #maximumDeviation: number;
  readonly #normal: () => number;
  readonly #inject: readonly Float64Array[];
  readonly #pending = new PendingGeneration<Deviation>();
  readonly #mean: Float64Array;
  readonly #covariance: Covariance;
  readonly #learnt: CovarianceModel["learnt"];
  readonly #sigmaPath: Float64Array;
  readonly #covariancePath: Float64Array;
  /** (1 - cSigma)^(2 * generation), the part of the path's variance that is missing since it began at zero. */
  #pathDeficit = 1;
  #sigma: number;
  #generation = 0;

  constructor(options: CmaEsOptions) {
    const n = options.mean.length;
    const { begin, from, learnt, parameters } = options.model ?? full;
    this.#parameters = parameters(n, options.populationSize ?? defaultPopulationSize(n));
    this.#maximumDeviation = options.maximumDeviation ?? Infinity;
    this.#normal = options.normal;
    this.#inject = options.inject ?? [];
    this.#mean = options.mean.slice();
    this.#learnt = learnt;
    this.#sigma = options.sigma;
    this.#covariance = begin(options.scales ?? new Float64Array(n).fill(1));
    if (options.covariance) {
      const known = from(options.covariance, n);
      const usual = this.#sigma * rootMeanSquare(this.#covariance.deviations);
      const length = rootMeanSquare(known.deviations);
      known.rescale(new Float64Array(n).fill(1 / length));
      known.factorize();
      this.#covariance = known;
      this.#sigma = Math.max(length, LEAST_PART * usual);
    }
    this.#sigmaPath = new Float64Array(n);
    this.#covariancePath = new Float64Array(n);
    this.#limitDeviations();
  }

  get populationSize(): number {
    return this.#parameters.populationSize;
  }

  get mean(): Float64Array {
    return this.#mean.slice();
  }

  get sigma(): number {
    return this.#sigma;
  }

  get generation(): number {
    return this.#generation;
  }

  /** The matrix C as rows; the search distribution is N(m, sigma^2 C). */
  get covariance(): Float64Array[] {
    return this.#covariance.matrix;
  }

  /** The covariance of the search distribution, sigma^2 C, as `covariance` of the options takes it. */
  get learnt(): Float64Array {
    return this.#learnt(this.#covariance).map((value) => this.#sigma * this.#sigma * value);
  }

  /** Standard deviation of the search distribution along its longest axis. */
  get largestDeviation(): number {
    return this.#sigma * this.#covariance.largestDeviation;
  }

  /** Standard deviation of every coordinate. */
  get deviations(): Float64Array {
    return this.#covariance.deviations.map((deviation) => this.#sigma * deviation);
  }

  ask(): Float64Array[] {
    const injected = this.#generation === 0 ? this.#inject : [];
    const steps = this.#pending.open(() =>
      Array.from({ length: this.#parameters.populationSize }, (_, i) => {
        const point = injected[i];
        return point ? this.#stepTo(point) : this.#sample();
      }),
    );
    // An injected point is evaluated where it is, though the update may see it nearer to the mean.
    return steps.map(({ y }, i) => injected[i] ?? y.map((yi, j) => this.#mean[j]! + this.#sigma * yi)); // (40)
  }

  tell(losses: readonly number[]): void {
    const steps = this.#pending.close(losses);
    const ranked = rankSucceeded(losses).map((index) => steps[index]!);
    this.#generation++;
    const meanStep = this.#moveMean(ranked);
    const pathLength = this.#adaptSigma(meanStep);
    this.#adaptCovariance(ranked, meanStep, pathLength);
    this.#limitDeviations();
  }

  /** (38), (39) */
  #sample(): Deviation {
    const z = this.#mean.map(() => this.#normal());
    return { y: this.#covariance.color(z), injected: false };
  }

  /** Shortens long steps, which would dominate the update (Hansen, arXiv:1110.4181, equation 4). */
  #stepTo(point: Float64Array): Deviation {
    const n = point.length;
    const y = point.map((x, j) => (x - this.#mean[j]!) / this.#sigma);
    const longest = Math.sqrt(n) + (2 * n) / (n + 2);
    const shrink = Math.min(1, longest / length(this.#covariance.whiten(y)));
    return { y: y.map((yj) => shrink * yj), injected: true };
  }

  /** Returns the weighted mean step y_w (41) and moves the mean along it (42). */
  #moveMean(ranked: readonly Deviation[]): Float64Array {
    const meanStep = new Float64Array(this.#mean.length);
    for (const [rank, { y }] of ranked.entries()) {
      const weight = Math.max(0, this.#parameters.weights[rank]!);
      for (let j = 0; j < y.length; j++) meanStep[j]! += weight * y[j]!;
    }
    for (let j = 0; j < meanStep.length; j++) this.#mean[j]! += this.#sigma * meanStep[j]!;
    return meanStep;
  }

  /** Cumulative step-size adaptation (43), (44); returns the length of the path. */
  #adaptSigma(meanStep: Float64Array): number {
    const { cSigma, dSigma, muEff, chiN } = this.#parameters;
    accumulate(this.#sigmaPath, cSigma, Math.sqrt(muEff), this.#covariance.whiten(meanStep));
    const pathLength = length(this.#sigmaPath);
    // Injected points can make the path long: arXiv:1110.4181 bounds the change by Delta_sigma^max = 1.
    this.#sigma *= expWithinOne(Math.min(1, (cSigma / dSigma) * (pathLength / chiN - 1)));
    return pathLength;
  }

  /** Rank-one and rank-mu update (45) to (47). */
  #adaptCovariance(ranked: readonly Deviation[], meanStep: Float64Array, pathLength: number): void {
    const { cSigma, cC, c1, cMu, muEff, chiN, eigenInterval } = this.#parameters;
    const n = meanStep.length;
    this.#pathDeficit *= (1 - cSigma) * (1 - cSigma);
    const stalled = pathLength / Math.sqrt(1 - this.#pathDeficit) >= (1.4 + 2 / (n + 1)) * chiN; // h_sigma = 0
    accumulate(this.#covariancePath, cC, stalled ? 0 : Math.sqrt(muEff), meanStep);

    const weights = ranked.map(({ injected }, rank) => {
      const weight = this.#parameters.weights[rank]!;
      return injected ? Math.max(0, weight) : weight;
    });
    const terms = ranked.map(({ y }, rank): RankOneTerm => {
      const weight = weights[rank]!;
      // (46) makes every unpromising step equally long, so that C stays positive definite.
      return {
        weight: cMu * (weight < 0 ? (weight * n) / squaredLength(this.#covariance.whiten(y)) : weight),
        vector: y,
      };
    });
    const weightSum = weights.reduce((sum, weight) => sum + weight, 0);
    const lostVariance = stalled ? c1 * cC * (2 - cC) : 0;
    this.#covariance.update(1 + lostVariance - c1 - cMu * weightSum, [
      { weight: c1, vector: this.#covariancePath },
      ...terms,
    ]);
    if (this.#generation % eigenInterval === 0) this.#covariance.factorize();
  }

  #limitDeviations(): void {
    const factors = this.#covariance.deviations.map((deviation) =>
      Math.min(1, this.#maximumDeviation / (this.#sigma * deviation)),
    );
    if (factors.every((factor) => factor === 1)) return;
    this.#covariance.rescale(factors);
    this.#covariance.factorize();
    for (let j = 0; j < factors.length; j++) this.#covariancePath[j]! *= factors[j]!;
  }
}

/** p <- (1 - c) p + sqrt(c (2 - c)) * factor * step */
function accumulate(path: Float64Array, c: number, factor: number, step: Float64Array): void {
  const gain = Math.sqrt(c * (2 - c)) * factor;
  for (let j = 0; j < path.length; j++) path[j] = (1 - c) * path[j]! + gain * step[j]!;
}

function rootMeanSquare(values: Float64Array): number {
  return Math.sqrt(squaredLength(values) / values.length);
}

function squaredLength(x: Float64Array): number {
  return x.reduce((sum, value) => sum + value * value, 0);
}

function length(x: Float64Array): number {
  return Math.sqrt(squaredLength(x));
}
