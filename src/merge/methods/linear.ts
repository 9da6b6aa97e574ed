/** Weighted sums: of the experts as they are, or of their differences from the base. */
import { eachExpert, minus, plus, sumOverExperts, theBase, times } from "../formula.ts";
import { computing, type MethodDeclaration } from "../method.ts";

export const linearMethods: Readonly<Record<"linear" | "task_arithmetic", MethodDeclaration>> = {
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
    mergekit: { parameters: { normalize: false } },
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
    mergekit: { parameters: { normalize: false, lambda: 1 } },
  },
};
