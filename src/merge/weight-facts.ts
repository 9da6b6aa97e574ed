import { setImmediate } from "node:timers/promises";
import type { Shape } from "../tensor/dtype.ts";
import { type Gram, gramOf } from "../tensor/gram.ts";
import { elementsOf, type StoredValues } from "../tensor/stored-values.ts";
import { magnitudesAt } from "../tensor/magnitudes.ts";
import { type VectorGrams, type Vectors, vectorGramsOf } from "../tensor/vector-grams.ts";
import { declarationOf, methodName } from "./declarations.ts";
import type { ParentFacts } from "./facts.ts";
import { optionsOf, SHARE_UNIT } from "./method.ts";
import { divisionOf, needsOf } from "./needs-of.ts";
import type { Step } from "./recipe.ts";
import { Disagreements } from "./disagreements.ts";
import { KeptGains, type KeptRange } from "./kept-gains.ts";

/** What is known of one weight of base and experts for the merges that were asked for so far. */
export class WeightFacts {
  /** By what the weight is divided into. */
  readonly #grams = new Map<"whole" | Vectors, Pick<ParentFacts, "gram" | "vectors">>();
  /** Of each expert. */
  #magnitudes: Magnitudes[] = [];
  #count = 0;
  readonly #gains = new KeptGains();
  readonly #disagreements = new Disagreements();

  /** Whether a merge asks for what is not known yet. */
  lacks(step: Step): boolean {
    const needs = needsOf(step);
    const division = divisionOf(step);
    if ((division && !this.#grams.has(division)) || this.#disagreements.lacks(step)) return true;
    if (needs?.cuts === undefined) return false;
    if (this.#count === 0 || this.#placesOf(step).some(lacking(this.#magnitudes))) return true;
    return this.#gains.lacks(this.#rangesOf(step));
  }

  /**
   * Looks at the parents' bytes, of that shape, for what the merges ask. With `ahead` what a search may ask later is found, too: the
   * magnitudes at all multiples of a parameter's unit.
   */
  async learn(
    steps: readonly Step[],
    shape: Shape,
    [base, ...experts]: readonly [StoredValues, ...StoredValues[]],
    { ahead = false } = {},
  ): Promise<void> {
    const lacking = steps.filter((step) => this.lacks(step));
    for (const division of new Set(lacking.flatMap((step) => divisionOf(step) ?? [])))
      if (!this.#grams.has(division)) this.#grams.set(division, await gramsOf(division, shape, base, experts));
    await this.#disagreements.learn(lacking, base, experts, ahead);
    const cutting = lacking.filter((step) => needsOf(step)?.cuts);
    if (cutting.length === 0) return;
    this.#count = elementsOf(base);
    const asked = cutting.map((step) => this.#placesOf(step));
    for (const [expert, stored] of experts.entries()) {
      const known = (this.#magnitudes[expert] ??= new Magnitudes());
      const later = ahead && known.isEmpty ? placesAhead(this.#count) : [];
      await known.learn(base, stored, [...later, ...asked.flatMap((places) => places[expert] ?? [])]);
      await setImmediate();
    }
    for (const step of cutting) await this.#gains.learn(this.#rangesOf(step), base, experts);
  }

  /** What is known for a merge; undefined of what it does not ask for. */
  of(step: Step): ParentFacts {
    const [needs, division] = [needsOf(step), divisionOf(step)];
    if (this.lacks(step)) throw new Error(`merge: ${methodName(step.method)} asks for what is not known`);
    return {
      ...(division && this.#grams.get(division)),
      ...(needs?.disagreement && { disagreement: this.#disagreements.of(step) }),
      ...(needs?.cuts && { cuts: this.#cutsOf(step), gains: this.#gains.of(this.#rangesOf(step)) }),
    };
  }

  /** Of each expert. */
  #cutsOf(step: Step): readonly (readonly number[])[] {
    return this.#placesOf(step).map((places, i) => places.map((place) => this.#magnitudes[i]?.at(place) ?? Number.NaN));
  }

  /** Of each expert, where a merge keeps its norm. */
  #rangesOf(step: Step): readonly KeptRange[] {
    if (step.method === "passthrough") return [];
    const declaration = declarationOf(step.method);
    const options = optionsOf(declaration, step.options);
    return this.#cutsOf(step).flatMap((cuts) => {
      const range = declaration.needs?.keeps?.(cuts, options);
      return range ? [range] : [];
    });
  }

  /** Of each expert. */
  #placesOf(step: Step): readonly (readonly number[])[] {
    if (step.method === "passthrough") return [];
    const { parameters, needs } = declarationOf(step.method);
    const experts = Math.max(0, ...Object.values(step.values).map(({ length }) => length));
    return Array.from({ length: experts }, (_, expert) => {
      const own = parameters.map(({ name }) => [name, Number(step.values[name]?.[expert])]);
      return needs?.cuts?.(Object.fromEntries(own) as Record<string, number>, this.#count) ?? [];
    });
  }
}

/** Magnitudes by place, in ascending order of both. */
class Magnitudes {
  #places: Float64Array = new Float64Array();
  #values: Float32Array = new Float32Array();

  get isEmpty(): boolean {
    return this.#places.length === 0;
  }

  at(place: number): number | undefined {
    let [low, high] = [0, this.#places.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#places[middle] ?? Infinity) < place) low = middle + 1;
      else high = middle;
    }
    return this.#places[low] === place ? this.#values[low] : undefined;
  }

  async learn(base: StoredValues, expert: StoredValues, places: readonly number[]): Promise<void> {
    const fresh = places.filter((place) => this.at(place) === undefined);
    if (fresh.length === 0) return;
    const all = Float64Array.from(new Set([...this.#places, ...fresh])).toSorted();
    this.#values = await magnitudesAt(base, expert, [...all]);
    this.#places = all;
  }
}

/** Where the cuts of a search are: densities are multiples of a unit, and what is cut from both ends is one place off at most. */
function placesAhead(count: number): number[] {
  const units = Array.from({ length: 1 / SHARE_UNIT + 1 }, (_, k) => Math.floor(k * SHARE_UNIT * count));
  const near = units.flatMap((kept) => [count - kept - 1, count - kept, count - kept + 1]);
  return near.filter((place) => place >= 0 && place < count);
}

function lacking(magnitudes: readonly Magnitudes[]): (places: readonly number[], expert: number) => boolean {
  return (places, expert) => places.some((place) => magnitudes[expert]?.at(place) === undefined);
}

/** A weight of one dimension is one vector, however others are divided. */
async function gramsOf(
  division: "whole" | Vectors,
  shape: Shape,
  base: StoredValues,
  experts: readonly StoredValues[],
): Promise<{ readonly gram: Gram } | { readonly vectors: VectorGrams }> {
  if (division === "whole" || shape.length < 2) return { gram: await gramOf(base, experts) };
  return { vectors: await vectorGramsOf(division, shape, base, experts) };
}
