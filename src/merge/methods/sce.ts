/** SCE: of the elements at which experts differ most, what most of them agree on, by how much each changes there. */
import { Dual } from "../dual.ts";
import {
  eachExpert,
  isPositive,
  minus,
  number,
  plus,
  product,
  quotient,
  sumOverExperts,
  theBase,
  times,
  withName,
} from "../formula.ts";
import { computing, type Derivation, type MethodDeclaration, SHARE_UNIT } from "../method.ts";
import { signOf, orOne } from "./signs.ts";

const difference = withName("difference", minus(eachExpert, theBase));
const total = withName("total", sumOverExperts(difference));

/** Whether an element is among those at which the experts differ most. */
const deviation = withName("deviation", minus(difference, times(total, "part")));
const variance = times(sumOverExperts(product(deviation, deviation)), "part");
const isSelected = isPositive(minus(variance, number("above")));

/** Whether an expert goes the way that the sum of all goes; where that is 0, upwards. */
const agrees = withName("agrees", isPositive(product(difference, signOf(total))));
const divisor = orOne(withName("agreed", sumOverExperts(times(agrees, "share"))));
const mean = quotient(sumOverExperts(times(product(difference, agrees), "share")), divisor);

/** Each expert's share is that of its squared differences at the selected elements; equal shares where there are none. */
const derive: Derivation = {
  numbers: [
    { name: "share", per: "expert" },
    { name: "part", per: "model" },
    { name: "above", per: "model" },
  ],
  make({ facts: { disagreement } }) {
    if (!disagreement) throw new Error("merge: sce without the variances of the experts");
    const { squares, above } = disagreement;
    const all = squares.reduce((sum, own) => sum + own, 0);
    const same = (value: number): Dual[] => squares.map(() => new Dual(value));
    return {
      share: squares.map((own) => new Dual(all > 0 ? own / all : 1 / squares.length)),
      part: same(1 / squares.length),
      above: same(above),
    };
  },
};

export const sce: Readonly<Record<"sce", MethodDeclaration>> = {
  sce: {
    name: "sce",
    source: "Wan et al. 2024, arXiv:2408.07990",
    ...computing(plus(theBase, product(mean, isSelected))),
    summary:
      "base + the mean of the differences from it, by their squares, of the experts that go the way of their sum, at the elements where experts differ most",
    needs: { disagreement: ({ select_topk: share = 1 }) => share },
    derive,
    parameters: [
      {
        name: "select_topk",
        per: "model",
        range: [0.05, 1],
        start: 1,
        limits: [SHARE_UNIT, 1],
        isWhole: true,
        isDeciding: true,
        unit: SHARE_UNIT,
        summary: "part of the elements at which the experts differ that is merged, those with the largest variances",
      },
    ],
    experts: { least: 2 },
    mergekit: { parameters: {} },
  },
};
