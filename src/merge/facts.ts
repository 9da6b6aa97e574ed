/** What a merge must know of a weight's parents as a whole: made on the host, once, with the same bits wherever it is read. */
import type { Gram } from "../tensor/gram.ts";
import type { StoredValues } from "../tensor/stored-values.ts";
import type { Shape } from "../tensor/dtype.ts";
import type { Disagreement } from "../tensor/disagreement.ts";
import type { VectorGrams, Vectors } from "../tensor/vector-grams.ts";
import type { KeptRange } from "./kept-gains.ts";
import type { Options } from "./method.ts";

/** What a merge method asks for. */
export interface Needs {
  /** Inner products of base and of what each expert adds to it: of the whole, or of each of the vectors that it is divided into. */
  readonly gram?: (options: Options) => "whole" | Vectors;
  /**
   * Magnitudes of what an expert adds to the base: the places at which they stand among all `count` in ascending order, from
   * the expert's own values of the method's parameters.
   */
  readonly cuts?: (values: Readonly<Record<string, number>>, count: number) => readonly number[];
  /** From the magnitudes of an expert at its cuts, and the options: those between which its L1 norm is kept. */
  readonly keeps?: (cuts: readonly number[], options: Options) => KeptRange | undefined;
  /** The elements at which the experts differ most: which part of those at which they do, from the values of the method's parameters. */
  readonly disagreement?: (values: Readonly<Record<string, number>>) => number;
  /** Tensors that stand beside the parents in the formula. */
  readonly leaves?: readonly Leaf[];
}

/** What is known of a weight where a method asked for it. */
export interface ParentFacts {
  readonly gram?: Gram | undefined;
  /** In the place of those of the whole. */
  readonly vectors?: VectorGrams | undefined;
  /** Of each expert, in their order, the magnitudes that were asked for, in theirs. */
  readonly cuts?: readonly (readonly number[])[] | undefined;
  /** Of each expert, what its L1 norm is kept by. */
  readonly gains?: readonly number[] | undefined;
  readonly disagreement?: Disagreement | undefined;
}

/** A tensor that is made of a weight's parents, one for each expert, f32 with an element for each of the weight's. */
export interface Leaf {
  readonly name: string;
  /** Whether it depends on the recipe's seed. */
  readonly isRandom?: true;
  /** Loads what makes it, since most merges have no leaves. */
  readonly make: (source: LeafSource) => Promise<Float32Array>;
  /** A function of Python with its name, which makes the same bits of the same `source`. */
  readonly python: string;
}

/** What a leaf is made of. */
export interface LeafSource {
  readonly weight: string;
  readonly shape: Shape;
  readonly seed: number;
  readonly base: StoredValues;
  /** In their order. */
  readonly experts: readonly { readonly name: string; readonly stored: StoredValues }[];
  /** The index of the expert that it is for. */
  readonly expert: number;
}
