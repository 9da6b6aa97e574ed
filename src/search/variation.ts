import { expWithinOne, ln } from "../tensor/elementary.ts";
import type { RandomStream } from "../tensor/random.ts";
import { clipToUnit } from "./gradient-step.ts";
import { middleOf, partOf } from "./levels.ts";

/** How likely two parents are crossed at all, and then in a coordinate. */
const CROSSOVER = { pair: 0.9, coordinate: 0.5 } as const;
/** How likely a child is mutated; then one of its coordinates is in the mean, and at most every other one. */
const MUTATION = { child: 0.9, coordinate: 0.5 } as const;
/** Parents whose coordinate differs by no more are not crossed in it. */
const LEAST_DIFFERENCE = 1e-14;

/**
 * Two children of two parents in the unit cube, by simulated binary crossover with a distribution index of 15 and polynomial mutation
 * with one of 20, both within bounds (Deb & Agrawal 1995; Deb et al. 2002, doi:10.1109/4235.996017). Of a coordinate with levels the
 * children have those of the parents, and a mutation draws another.
 */
export function childrenOf(
  parents: readonly [Float64Array, Float64Array],
  levels: readonly number[],
  random: RandomStream,
): [Float64Array, Float64Array] {
  const [one, other] = [parents[0].slice(), parents[1].slice()];
  if (random.uniform() < CROSSOVER.pair) cross(one, other, levels, random);
  for (const child of [one, other]) if (random.uniform() < MUTATION.child) mutate(child, levels, random);
  return [one, other];
}

function cross(a: Float64Array, b: Float64Array, levels: readonly number[], random: RandomStream): void {
  for (let j = 0; j < a.length; j++) {
    if (random.uniform() >= CROSSOVER.coordinate) continue;
    const [low, high] = [Math.min(a[j]!, b[j]!), Math.max(a[j]!, b[j]!)];
    if (high - low <= LEAST_DIFFERENCE) continue;
    const u = random.uniform();
    const [below, above] =
      (levels[j] ?? 0) > 0
        ? [low, high]
        : [
            (low + high - spread(u, low / (high - low)) * (high - low)) / 2,
            (low + high + spread(u, (1 - high) / (high - low)) * (high - low)) / 2,
          ];
    const isSwapped = random.uniform() < 1 / 2;
    a[j] = clipToUnit(isSwapped ? above : below);
    b[j] = clipToUnit(isSwapped ? below : above);
  }
}

/** How far the children are apart, in distances of the parents, whose bound is `room` of these away; u is uniform in [0, 1). */
function spread(u: number, room: number): number {
  const most = 2 - 1 / sixteenthPower(1 + 2 * room);
  return u * most <= 1 ? sixteenthRoot(u * most) : sixteenthRoot(1 / (2 - u * most));
}

function mutate(x: Float64Array, levels: readonly number[], random: RandomStream): void {
  const probability = Math.min(MUTATION.coordinate, 1 / x.length);
  for (let j = 0; j < x.length; j++) {
    if (random.uniform() >= probability) continue;
    const own = levels[j] ?? 0;
    if (own === 0) x[j] = clipToUnit(x[j]! + change(random.uniform(), x[j]!));
    else if (own > 1) x[j] = middleOf((partOf(x[j]!, own) + 1 + random.integer(own - 1)) % own, own);
  }
}

/** What polynomial mutation adds to x, by a number uniform in [0, 1). */
function change(u: number, x: number): number {
  if (u <= 1 / 2) return root21(2 * u + (1 - 2 * u) * power21(1 - x)) - 1;
  return 1 - root21(2 * (1 - u) + (2 * u - 1) * power21(x));
}

// Powers and roots by operations that have the same bits on every machine, which Math.pow has not.

function sixteenthPower(x: number): number {
  const fourth = x * x * (x * x);
  return fourth * fourth * (fourth * fourth);
}

function sixteenthRoot(x: number): number {
  return Math.sqrt(Math.sqrt(Math.sqrt(Math.sqrt(x))));
}

function power21(x: number): number {
  return sixteenthPower(x) * x * (x * x * (x * x));
}

/** Of a number from 0 to 1. */
function root21(x: number): number {
  if (x <= 0) return 0;
  // The logarithm of the least number that comes here is -37, which is within one once it is divided.
  const half = expWithinOne(Math.max(-1, ln(x) / 42));
  return half * half;
}
