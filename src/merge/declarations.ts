import {
  eachExpert,
  type Formula,
  formulaText,
  minus,
  partsOf,
  plus,
  sumOverExperts,
  theBase,
  times,
} from "./formula.ts";
import type { MethodDeclaration } from "./method.ts";

export type MethodName = "linear" | "task_arithmetic";

/** Every merge method by the name that search spaces and recipes use. */
export const declarations: Readonly<Record<MethodName, MethodDeclaration>> = {
  linear: {
    name: "linear",
    source: "Wortsman et al. 2022, arXiv:2203.05482",
    ...computing(sumOverExperts(times(eachExpert, "weight"))),
    parameters: [
      {
        name: "weight",
        per: "expert",
        range: [0, 1],
        start: "uniform",
        summary: "share of the expert's weights; the shares of all experts should sum to about 1, or be normalized",
      },
    ],
    mergekit: { normalize: false },
  },
  task_arithmetic: {
    name: "task_arithmetic",
    source: "Ilharco et al. 2023, arXiv:2212.04089",
    ...computing(plus(theBase, sumOverExperts(times(minus(eachExpert, theBase), "weight")))),
    parameters: [
      {
        name: "weight",
        per: "expert",
        range: [0, 1.5],
        start: 0.8,
        summary:
          "how much of the expert's difference from the base is added; 0 leaves the expert out, 1 adds all of it",
      },
    ],
    mergekit: { normalize: false, lambda: 1 },
  },
};

/** The names of all merge methods, in the order that help lists them. */
export const methodNames: readonly MethodName[] = Object.keys(declarations) as MethodName[];

function computing(formula: Formula): Pick<MethodDeclaration, "formula" | "summary" | "needsBase"> {
  return { formula, summary: formulaText(formula), needsBase: partsOf(formula).includes(theBase) };
}
