/** What matters of an expert's difference from the base, and nothing else of it. */
import { eachExpert, leaf, minus, plus, product, sumOverExperts, theBase } from "../formula.ts";
import { important } from "../leaves/importance.ts";
import { computing, type MethodDeclaration } from "../method.ts";

export const arceeFusion: Readonly<Record<"arcee_fusion", MethodDeclaration>> = {
  arcee_fusion: {
    name: "arcee_fusion",
    source: "Arcee AI 2024, arcee.ai",
    ...computing(plus(theBase, sumOverExperts(product(minus(eachExpert, theBase), leaf(important.name))))),
    summary:
      "the base, with the elements of the expert that change most, counted more in rows whose softmax diverges from the base's",
    needs: { leaves: [important] },
    parameters: [],
    experts: { least: 1, most: 1 },
    mergekit: { parameters: {} },
  },
};
