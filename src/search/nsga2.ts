import { RandomStream } from "../tensor/random.ts";
import { PendingGeneration } from "./generation.ts";
import { clipToUnit } from "./gradient-step.ts";
import { middleOf } from "./levels.ts";
import type { Candidate, Optimizer, OptimizerOptions, Score } from "./optimizer.ts";
import { crowdingOf, frontsOf, type Losses } from "./pareto.ts";
import { defaultPopulationSize } from "./strategy-parameters.ts";
import { childrenOf } from "./variation.ts";

/** How often in a row children that are there already may be born before one of them is taken all the same. */
const MOST_TWINS = 100;

/** A point with what it scored. */
interface Member {
  readonly point: Float64Array;
  readonly losses: Losses;
  /** Combined. */
  readonly loss: number;
}

/** A member of the population: the front it is in, counted from 0, and how much room it has there. */
interface Ranked extends Member {
  readonly rank: number;
  readonly crowding: number;
}

/**
 * NSGA-II (Deb et al. 2002, doi:10.1109/4235.996017): of parents and children those survive that the fewest fronts dominate, and of the
 * last front those with the most room around them; by the same order parents are chosen in pairs. Losses of several generations are compared, so all
 * generations have to meet the same rows. It recommends the point with the least combined loss, which is the reference.
 */
export class Nsga2 implements Optimizer {
  readonly converged = false;
  readonly #levels: readonly number[];
  readonly #populationSize: number;
  readonly #random: RandomStream;
  readonly #pending = new PendingGeneration<Float64Array>();
  /** What the first generation asks, before there are parents. */
  readonly #first: readonly Float64Array[];
  #population: readonly Ranked[] = [];
  #best: Member;
  #generation = 0;

  constructor(options: OptimizerOptions) {
    const { start, levels = [], populationSize = defaultPopulationSize(start.length), inject = [] } = options;
    this.#levels = levels;
    this.#populationSize = populationSize;
    this.#random = RandomStream.of(options.seed, "nsga2");
    this.#best = { point: start.slice(), losses: [], loss: Number.NaN };
    this.#first = Array.from({ length: populationSize }, (_, i) => inject[i]?.slice() ?? this.#near(options));
  }

  get generation(): number {
    return this.#generation;
  }

  get candidates(): number {
    return this.#populationSize + 1;
  }

  get front(): readonly Float64Array[] {
    return this.#population.filter(({ rank }) => rank === 0).map(({ point }) => point.slice());
  }

  recommend(): Float64Array {
    return this.#best.point.slice();
  }

  ask(): readonly Candidate[] {
    const children = this.#pending.open(() => [
      ...(this.#generation === 0 ? this.#first : this.#children()),
      this.#best.point,
    ]);
    return children.map((point, i) => ({
      point: point.slice(),
      wantsGradient: false,
      isReference: i === children.length - 1,
    }));
  }

  tell(scores: readonly Score[]): void {
    const points = this.#pending.close(scores);
    this.#generation++;
    const told = points.map((point, i): Member => {
      const { loss, losses = [loss] } = scores[i]!;
      return { point, losses, loss };
    });
    // Met again by the reference, it has its losses of before.
    this.#best = leastLoss([...told.slice(-1), ...told]);
    this.#population = survivors(different([...this.#population, ...told]), this.#populationSize);
  }

  #near({ start, sigma, scales }: OptimizerOptions): Float64Array {
    return start.map((value, j) => {
      const levels = this.#levels[j] ?? 0;
      if (levels > 0) return middleOf(this.#random.integer(levels), levels);
      return clipToUnit(value + sigma * (scales?.[j] ?? 1) * this.#random.normal());
    });
  }

  #children(): Float64Array[] {
    const children: Float64Array[] = [];
    let twins = 0;
    while (children.length < this.#populationSize) {
      for (const child of childrenOf([this.#parent(), this.#parent()], this.#levels, this.#random)) {
        const isTwin = [...this.#population.map(({ point }) => point), ...children].some(isSameAs(child));
        twins = isTwin ? twins + 1 : 0;
        if (!isTwin || twins > MOST_TWINS) children.push(child);
      }
    }
    return children.slice(0, this.#populationSize);
  }

  /** The better of two that are drawn. */
  #parent(): Float64Array {
    const [a, b] = [this.#drawn(), this.#drawn()];
    const order = a.rank - b.rank || b.crowding - a.crowding;
    return (order < 0 || (!(order > 0) && this.#random.uniform() < 1 / 2) ? a : b).point;
  }

  #drawn(): Ranked {
    return this.#population[this.#random.integer(this.#population.length)]!;
  }
}

/** The fittest, ranked: whole fronts as long as there is room, and of the next one those with the most room around them. */
function survivors(members: readonly Member[], count: number): Ranked[] {
  const ranked = frontsOf(members.map(({ losses }) => losses)).flatMap((front, rank) => {
    const crowding = crowdingOf(front.map((i) => members[i]!.losses));
    const own = front.map((i, k): Ranked => ({ ...members[i]!, rank, crowding: crowding[k]! }));
    return own.toSorted((a, b) => (a.crowding === b.crowding ? 0 : b.crowding - a.crowding));
  });
  return ranked.slice(0, count);
}

function leastLoss(members: readonly Member[]): Member {
  return members.reduce((best, other) => (Number.isFinite(other.loss) && !(best.loss <= other.loss) ? other : best));
}

/** Of equal points the last one, which is known as well as the others. */
function different(members: readonly Member[]): Member[] {
  return members.filter(({ point }, i) => !members.slice(i + 1).some((other) => isSameAs(point)(other.point)));
}

function isSameAs(point: Float64Array): (other: Float64Array) => boolean {
  return (other) => point.every((value, j) => Object.is(value, other[j]));
}
