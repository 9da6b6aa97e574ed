import { RandomStream } from "../tensor/random.ts";
import { FLAT_GENERATIONS, isFlat } from "./flatness.ts";
import type { Candidate, LearntDistribution, Optimizer, OptimizerOptions, Restart, Score } from "./optimizer.ts";
import { defaultPopulationSize } from "./strategy-parameters.ts";

/** As many as pycma is given for the benchmarks; by then a generation may be 512 times the first one. */
const MOST_RESTARTS = 9;

/** Of a run that ends, the last generations, whose means were nearly the same. */
const COMPARED = 5;

/**
 * An evolution strategy that begins again where it has converged, each time with twice the population (IPOP: Auger and
 * Hansen, "A Restart CMA Evolution Strategy With Increasing Population Size", CEC 2005) while the budget has room for that to converge
 * too. It begins where it began, since that is a merge known to be good, but twice as wide: searches of merges begin narrow, and
 * would find the same valley again.
 *
 * Generations meet other rows, so losses of two runs do not compare. Therefore the best mean that a run has converged to
 * is in every later generation, as its reference, and it is recommended until another run has converged to a mean that had less loss
 * than it on the same rows in most of its last generations. What it was not chosen over on all rows stays its rival.
 */
export class Restarts implements Optimizer {
  readonly #begin: (restarts: number, doublings: number) => Optimizer;
  readonly #populationSize: number;
  #run: Optimizer;
  #restarts = 0;
  /** How often the population of the run was doubled. */
  #doublings = 0;
  /** Candidates of all runs that were scored. */
  #scored = 0;
  /** In generations of all runs. */
  #generation = 0;
  #begun = 0;
  /** The mean to take of those that runs have converged to, and the others, the latest first. */
  #best: Float64Array | undefined;
  /** What was learnt around it. */
  #learnt: LearntDistribution | undefined;
  #others: readonly Float64Array[] = [];
  /** Which of the candidates of the run is its mean. */
  #mean = 0;
  /** Generations of the run, up to the last one, of which all candidates had nearly the same loss. */
  #flat = 0;
  /** Whether the mean of the run had less loss than the best, in its last generations. */
  #isBetter: readonly boolean[] = [];

  constructor(options: OptimizerOptions, create: (options: OptimizerOptions) => Optimizer) {
    const { covariance, ...others } = options;
    const { populationSize = defaultPopulationSize(options.start.length), sigma, seed } = options;
    const own = { ...others, start: options.start.slice(), ...(options.scales && { scales: options.scales.slice() }) };
    this.#populationSize = populationSize;
    this.#begin = (restarts, doublings) =>
      create({
        ...own,
        populationSize: 2 ** doublings * populationSize,
        sigma: 2 ** restarts * sigma,
        ...(restarts > 0 && { seed: RandomStream.of(seed, "restart", restarts).integer(2 ** 32), inject: [] }),
        // What it began with was learnt around one optimum; another may be elsewhere.
        ...(restarts === 0 && covariance && { covariance }),
      });
    this.#run = this.#begin(0, 0);
  }

  get generation(): number {
    return this.#generation;
  }

  get candidates(): number {
    return this.#run.candidates + (this.#best ? 1 : 0);
  }

  get converged(): boolean {
    return this.#restarts === MOST_RESTARTS && this.#hasEnded;
  }

  get learnt(): LearntDistribution | undefined {
    return this.#best ? this.#learnt : this.#run.learnt;
  }

  get restart(): Restart | undefined {
    if (!this.#best) return undefined;
    const underWay = this.#run.generation > 0 ? [this.#run.recommend()] : [];
    return { after: this.#begun, rivals: [...underWay, ...this.#others] };
  }

  /** Whether another generation of the run would change nothing; one that was flat from its beginning has not begun to search. */
  get #hasEnded(): boolean {
    return this.#run.converged || (this.#flat >= FLAT_GENERATIONS && this.#run.generation > this.#flat);
  }

  recommend(): Float64Array {
    return this.#best?.slice() ?? this.#run.recommend();
  }

  ask(): readonly Candidate[] {
    const own = this.#run.ask();
    this.#mean = own.findIndex(({ isReference }) => isReference);
    if (!this.#best) return own;
    return [
      ...own.map((candidate) => ({ ...candidate, isReference: false })),
      { point: this.#best.slice(), wantsGradient: false, isReference: true },
    ];
  }

  tell(scores: readonly Score[], spent: number): void {
    const [own, best] = this.#best ? [scores.slice(0, -1), scores.at(-1)] : [scores, undefined];
    this.#run.tell(own, spent);
    this.#generation++;
    this.#scored += scores.length;
    const losses = own.map(({ loss }) => loss);
    this.#flat = isFlat({ losses, reference: this.#mean }) ? this.#flat + 1 : 0;
    if (best) this.#isBetter = [...this.#isBetter, isLess(losses[this.#mean]!, best.loss)].slice(-COMPARED);
    if (this.#hasEnded && this.#restarts < MOST_RESTARTS) this.#beginAgain(spent);
  }

  #beginAgain(spent: number): void {
    const mean = this.#run.recommend();
    const takesOver = this.#isBetter.filter(Boolean).length > this.#isBetter.length / 2;
    if (this.#best) this.#others = [takesOver ? this.#best : mean, ...this.#others];
    if (!this.#best || takesOver) {
      this.#best = mean;
      this.#learnt = this.#run.learnt;
    }
    this.#restarts++;
    this.#doublings = this.#affordable(this.#doublings + 1, spent);
    this.#begun = this.#generation;
    this.#flat = 0;
    this.#isBetter = [];
    this.#run = this.#begin(this.#restarts, this.#doublings);
  }

  /**
   * How often the population is doubled, so that what is left of the budget has room for as many generations as the run took that has
   * ended: larger ones converge in about as many. Candidates cost what they cost so far; where there is no room even for the first
   * population, it has what there is.
   */
  #affordable(wanted: number, spent: number): number {
    const room = ((1 - spent) * this.#scored) / spent / (this.#generation - this.#begun);
    let doublings = wanted;
    while (doublings > 0 && 2 ** doublings * this.#populationSize > room) doublings--;
    return doublings;
  }
}

/** A loss that is not finite is more than any. */
function isLess(loss: number, than: number): boolean {
  return Number.isFinite(loss) && !(than <= loss);
}
