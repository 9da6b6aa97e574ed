import { type Formula, formulaText, partsOf, theBase } from "./formula.ts";

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
  /** Those in the formula. */
  readonly parameters: readonly ParameterSpec[];
  /** What makes mergekit's method of the same name compute the formula. */
  readonly mergekit: Readonly<Record<string, number | boolean>>;
}

/** The part of a declaration that follows from its formula. */
export function computing(formula: Formula): Pick<MethodDeclaration, "formula" | "summary" | "needsBase"> {
  return { formula, summary: formulaText(formula), needsBase: partsOf(formula).includes(theBase) };
}
