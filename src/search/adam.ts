/** How fast the mean gradient and the mean square follow the latest gradient. */
const MEAN_RATE = 0.1;
const SQUARE_RATE = 0.01;

/**
 * The moments of Adam (Kingma & Ba, arXiv:1412.6980, algorithm 1, with beta 0.9 and 0.99). Its epsilon is left out, so that the
 * unit of the loss does not matter; a coordinate whose derivative was always 0 does not move.
 */
export class Adam {
  readonly #mean: Float64Array;
  readonly #square: Float64Array;
  /** What the moments lack since they began at zero, as parts of 1. */
  #meanDeficit = 1;
  #squareDeficit = 1;

  constructor(dimension: number) {
    this.#mean = new Float64Array(dimension);
    this.#square = new Float64Array(dimension);
  }

  /** The mean of several. */
  static mean(all: readonly [Adam, ...Adam[]]): Adam {
    const mean = new Adam(all[0].#mean.length);
    for (let j = 0; j < mean.#mean.length; j++) {
      mean.#mean[j] = average(all, (one) => one.#mean[j]!);
      mean.#square[j] = average(all, (one) => one.#square[j]!);
    }
    mean.#meanDeficit = average(all, (one) => one.#meanDeficit);
    mean.#squareDeficit = average(all, (one) => one.#squareDeficit);
    return mean;
  }

  /** Takes in a gradient of finite numbers; returns the direction uphill, each coordinate about 1 where its sign is steady. */
  direction(gradient: Float64Array): Float64Array {
    this.#meanDeficit *= 1 - MEAN_RATE;
    this.#squareDeficit *= 1 - SQUARE_RATE;
    return gradient.map((derivative, j) => {
      this.#mean[j]! += MEAN_RATE * (derivative - this.#mean[j]!);
      this.#square[j]! += SQUARE_RATE * (derivative * derivative - this.#square[j]!);
      const root = Math.sqrt(this.#square[j]! / (1 - this.#squareDeficit));
      return root > 0 ? this.#mean[j]! / (1 - this.#meanDeficit) / root : 0;
    });
  }
}

function average<T>(all: readonly T[], valueOf: (one: T) => number): number {
  return all.reduce((sum, one) => sum + valueOf(one), 0) / all.length;
}
