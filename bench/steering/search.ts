import type { Selection } from "../../src/evaluate/evaluator.ts";
import type { Candidate, Score } from "../../src/search/optimizer.ts";
import type { Genome } from "../../src/space/genome.ts";
import { spanOf, type Arm } from "./arms.ts";
import { Peer } from "./peer.ts";
import { GRADIENT_COST, type Problem } from "./problem.ts";
import { evenRows, SeenRows } from "./seen-rows.ts";
import { type Budget, Spending } from "./spending.ts";

/** What a search led to. */
export interface Found {
  readonly genes: number;
  readonly generations: number;
  /** Forward passes over all search rows; without the last comparison of the points below. */
  readonly work: number;
  /** CPU time of the search alone. */
  readonly cpuSeconds: number;
  readonly points: readonly ScoredPoint[];
}

/** One of the points that a search may be said to have led to, and its combined losses. */
export interface ScoredPoint {
  readonly name: "last" | "mean of 5" | "mean of half" | "held-out best";
  readonly search: number;
  readonly guard: number;
}

/** Times that the held-out rows are looked at. */
const LOOKS = 10;

export async function searchBy(problem: Problem, arm: Arm, budget: Budget, seed: number): Promise<Found> {
  const genome = problem.genome(arm.space);
  await using steering = steeringOf(arm, genome, seed, injected(problem, arm));
  const spending = new Spending(budget, problem.pace);
  const held = new HeldOut(problem, genome);
  const seen = new SeenRows(problem, arm, seed);
  const rowsOf = arm.stopsByHeldOut ? problem.parts.steered : problem.search;
  const means: Float64Array[] = [];
  for (;;) {
    const candidates = await steering.ask();
    if (spending.work > 0) means.push(steering.best(candidates));
    if (arm.stopsByHeldOut && means.length > 0) spending.add(await held.look(means.at(-1)!, spending.part));
    const cost = candidates.reduce((sum, { wantsGradient }) => sum + (wantsGradient ? GRADIENT_COST : 1), 0);
    // Of the rows that are left, as many.
    const fraction = arm.rows(spending.passes, cost, spending.part) / problem.share(rowsOf);
    const { share, score } = arm.drawnBy
      ? seen.draw(fraction, means.length)
      : evenRows(problem, problem.draw(rowsOf, fraction, seed, means.length));
    if (!spending.hasRoom(cost * share)) break;
    const scores = await score(genome, candidates);
    spending.add(cost * share);
    await steering.tell(decayed(arm, genome, candidates, scores), spending.part);
  }
  const { work, cpuSeconds } = spending;
  // A budget may have no room for a generation of a peer.
  const reached = means.length > 0 ? means : [genome.start];
  return {
    genes: genome.dimension,
    generations: means.length,
    work,
    cpuSeconds,
    points: await scored(problem, genome, [...recommendations(reached, steering), ...held.points]),
  };
}

/** An optimizer of evomerge or a peer. */
export interface Steering extends AsyncDisposable {
  ask(): readonly Candidate[] | Promise<readonly Candidate[]>;
  tell(scores: readonly Score[], spent: number): void | Promise<void>;
  /** Where the search is, once these candidates are asked. */
  best(candidates: readonly Candidate[]): Float64Array;
  /** Whether means over generations say anything: a peer's best sample has met all rows. */
  readonly hasMeans: boolean;
}

export function steeringOf(arm: Arm, genome: Genome, seed: number, inject: readonly Float64Array[] = []): Steering {
  const { optimizer, rate } = arm;
  const { start, sigma, scales, dimension } = genome;
  if (typeof optimizer === "string") return new Peer(optimizer, start, seed);
  const rates = rate === undefined ? genome.rates : new Float64Array(dimension).fill(rate / spanOf(arm));
  const own = optimizer({ start, sigma, scales, seed, rates, inject });
  return {
    ask: () => own.ask(),
    tell: (scores, spent) => own.tell(scores, spent),
    best: (candidates) => candidates.find(({ isReference }) => isReference)!.point,
    hasMeans: true,
    [Symbol.asyncDispose]: async () => {},
  };
}

/** Points of the first generation: where searches of the same space begin that has another start. */
function injected(problem: Problem, { space, inject = [] }: Arm): Float64Array[] {
  const { weight } = space.parameters;
  return inject.map((start) => problem.genome({ ...space, parameters: { weight: { ...weight!, start } } }).start);
}

function decayed(
  arm: Arm,
  { start }: Genome,
  candidates: readonly Candidate[],
  scores: readonly Score[],
): readonly Score[] {
  const { decay = 0 } = arm;
  if (decay === 0) return scores;
  // By parts of the range, as the gradient is; the squared distance is in units of a weight.
  const pull = (point: Float64Array, j: number): number => decay * spanOf(arm) ** 2 * (point[j]! - start[j]!);
  return scores.map(({ loss, gradient }, i) => ({
    loss,
    ...(gradient && { gradient: gradient.map((slope, j) => slope + pull(candidates[i]!.point, j)) }),
  }));
}

/** Looks at rows that no step sees, a few times in a search; remembers the best point there. */
class HeldOut {
  readonly #problem: Problem;
  readonly #genome: Genome;
  #looks = 0;
  #best: { readonly point: Float64Array; readonly loss: number } | undefined;

  constructor(problem: Problem, genome: Genome) {
    this.#problem = problem;
    this.#genome = genome;
  }

  get points(): { readonly name: "held-out best"; readonly point: Float64Array }[] {
    return this.#best ? [{ name: "held-out best", point: this.#best.point }] : [];
  }

  /** Returns the work that it was; none where that part of the budget is too early for another look. */
  async look(point: Float64Array, part: number): Promise<number> {
    if (part < (this.#looks + 1) / (LOOKS + 1)) return 0;
    this.#looks += 1;
    const rows = this.#problem.parts.heldOut;
    const [loss = Number.NaN] = await this.#problem.losses(this.#genome, [point], rows);
    if (!(loss >= (this.#best?.loss ?? Infinity))) this.#best = { point, loss };
    return this.#problem.share(rows);
  }
}

/** The last mean, and means of the last five and of the later half, as a run's finalists. */
function recommendations(
  means: readonly Float64Array[],
  { hasMeans }: Steering,
): { readonly name: ScoredPoint["name"]; readonly point: Float64Array }[] {
  const spans = { last: 1, ...(hasMeans && { "mean of 5": 5, "mean of half": Math.ceil(means.length / 2) }) };
  return Object.entries(spans).map(([name, span]) => ({
    name: name as ScoredPoint["name"],
    point: average(means.slice(-span)),
  }));
}

async function scored(
  problem: Problem,
  genome: Genome,
  named: readonly { readonly name: ScoredPoint["name"]; readonly point: Float64Array }[],
): Promise<ScoredPoint[]> {
  const points = named.map(({ point }) => point);
  const losses = async (rows: Selection): Promise<number[]> => problem.losses(genome, points, rows);
  const [search, guard] = [await losses(problem.search), await losses(problem.guard)];
  return named.map(({ name }, i) => ({ name, search: search[i]!, guard: guard[i]! }));
}

function average(points: readonly Float64Array[]): Float64Array {
  const [first = new Float64Array()] = points;
  return first.map((_, j) => points.reduce((sum, point) => sum + point[j]!, 0) / points.length);
}
