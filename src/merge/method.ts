import type { Dual } from "./dual.ts";
import { type Formula, formulaText, partsOf, theBase } from "./formula.ts";
import type { Gram } from "../tensor/gram.ts";

/** One number that a merge method takes: what the genome varies, validation checks and help prints. */
export interface ParameterSpec {
  readonly name: string;
  /** Whether each expert has its own value, or one value serves the whole merge. */
  readonly per: "expert" | "model";
  /** Lowest and highest value that a search visits unless its search space says otherwise. */
  readonly range: readonly [number, number];
  /** Where a search starts; "uniform" is 1 / number of experts. */
  readonly start: number | "uniform";
  readonly summary: string;
}

/** What a merge method is, takes and computes; all that depends on the method follows from it. */
export interface MethodDeclaration {
  readonly name: string;
  /** The paper that introduced the method. */
  readonly source: string;
  readonly formula: Formula;
  /** The formula in words. */
  readonly summary: string;
  /** Whether the formula has the base in it. */
  readonly needsBase: boolean;
  /** Those in the formula, or those that `combine` makes the formula's own of. */
  readonly parameters: readonly ParameterSpec[];
  /** Only of a method whose formula is that of a combination; its parameters may not differ among columns. */
  readonly combine?: Combine;
  /** How many experts it merges; any number unless given. */
  readonly experts?: { readonly least: number; readonly most?: number };
  readonly mergekit: MergekitWords;
}

/** How mergekit is made to compute the formula. */
export interface MergekitWords {
  /** Its method, where that has another name. */
  readonly method?: string;
  readonly parameters: Readonly<Record<string, number | boolean>>;
  /** Where it merges differences from the base as soon as it is told of one, and the formula does not. */
  readonly isWithoutBase?: boolean;
}

/** The factors of base and experts in a merge that is a combination of them, with their derivatives by the parameters. */
export interface Combination {
  readonly base: Dual;
  readonly experts: readonly Dual[];
}

/**
 * The combination at a weight, from the inner products of its parents and the values of each parameter in the order of the
 * experts: one of the whole merge is the same at each.
 */
export type Combine = (gram: Gram, values: Readonly<Record<string, readonly Dual[]>>) => Combination;

/** The part of a declaration that follows from its formula. */
export function computing(formula: Formula): Pick<MethodDeclaration, "formula" | "summary" | "needsBase"> {
  return { formula, summary: formulaText(formula), needsBase: partsOf(formula).includes(theBase) };
}
