/**
 * An optimizer that looks along one coordinate after the other, to both sides of the best point so far, with steps that shrink
 * where neither side is better (Hooke and Jeeves 1961, without the pattern move). `algorithm: coordinates/search`.
 *
 * @import { Optimizer, OptimizerOptions, OptimizerPlugin, Plugin, RandomNumbers } from "evomerge"
 */

/** @implements {Optimizer} */
class CoordinateSearch {
  generation = 0;
  candidates;
  #best;
  #step;
  #order;

  /**
   * @param {OptimizerOptions} options
   * @param {RandomNumbers} random
   */
  constructor({ start, sigma, populationSize = 2 }, random) {
    this.#best = start.slice();
    this.#step = sigma;
    this.#order = shuffled([...start.keys()], random);
    // The best point so far is scored with the others, on the same rows.
    this.candidates = populationSize + 1;
  }

  get converged() {
    return this.#step < 1e-3;
  }

  /** The reference is the last one. */
  ask() {
    const tried = Array.from({ length: this.candidates - 1 }, (_, i) => {
      const pair = Math.floor((this.generation * (this.candidates - 1) + i) / 2);
      const at = this.#order[pair % this.#order.length] ?? 0;
      const value = (this.#best[at] ?? 0) + (i % 2 === 0 ? this.#step : -this.#step);
      return this.#best.with(at, Math.min(1, Math.max(0, value)));
    });
    return [...tried, this.#best].map((point, i) => ({
      point,
      wantsGradient: false,
      isReference: i === tried.length,
    }));
  }

  /** @param {readonly { readonly loss: number }[]} scores */
  tell(scores) {
    const asked = this.ask();
    const losses = scores.map(({ loss }) => (Number.isFinite(loss) ? loss : Infinity));
    const least = losses.indexOf(Math.min(...losses));
    const point = asked[least]?.point;
    if (least === asked.length - 1 || !point) this.#step /= 1.5;
    else this.#best = point;
    this.generation += 1;
  }

  recommend() {
    return this.#best;
  }
}

/**
 * @template T
 * @param {T[]} items
 * @param {RandomNumbers} random
 */
function shuffled(items, random) {
  return items
    .map((item) => ({ item, key: random.uniform() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

/** @type {OptimizerPlugin} */
const search = {
  population: (dimension) => 2 * Math.min(dimension, 4),
  beside: "best so far",
  usesGradients: false,
  create: (options, random) => new CoordinateSearch(options, random),
};

/** @type {Plugin} */
export default { name: "coordinates", version: "1.0.0", optimizers: { search } };
