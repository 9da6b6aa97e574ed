/** A merge method as plain data: what a plugin provides, and what recipes and search spaces of it carry along. */
import { differentiableIn, type Formula, partsOf, theBase } from "./formula.ts";
import type { AnyDeclaration, ParameterSpec } from "./method.ts";
import { parseFormula } from "./parse-formula.ts";

/** One number that the formula of such a method takes. */
export type FormulaParameter = Pick<ParameterSpec, "name" | "per" | "range" | "start" | "limits" | "summary">;

/** A method that is a formula of the elements of base and experts, and of its parameters. */
export interface FormulaMethod {
  /** As `plugin/name`. */
  readonly name: string;
  /** Who introduced it, and where. */
  readonly source: string;
  /** What it computes, in words. */
  readonly summary: string;
  /**
   * Lines of definitions, `name = ...`, and behind them the merge: of `base`, `expert` within `sum(...)`, `first` (the first expert), parameters and
   * numbers, with + - * / > <, abs(...) and parentheses. A comparison is 1 where it holds, else 0, and passes no derivative back.
   */
  readonly formula: string;
  /** All that are in the formula. */
  readonly parameters: readonly FormulaParameter[];
  /** How many experts it merges; any number unless given. */
  readonly experts?: { readonly least: number; readonly most?: number };
}

/** A recipe may be asked for its method at every weight. */
const declared = new WeakMap<FormulaMethod, AnyDeclaration>();

/** What follows from it; a UserError where its formula means nothing. */
export function declare(method: FormulaMethod): AnyDeclaration {
  const known = declared.get(method);
  if (known) return known;
  const formula: Formula = parseFormula(method.formula, method.parameters);
  const reached = differentiableIn(formula);
  const declaration: AnyDeclaration = {
    ...method,
    formula: () => formula,
    needsBase: partsOf(formula).includes(theBase),
    // Columns are found by derivatives alone.
    parameters: method.parameters.map((own) =>
      reached.has(own.name) ? own : { ...own, isDeciding: true, isWhole: true },
    ),
  };
  declared.set(method, declaration);
  return declaration;
}
