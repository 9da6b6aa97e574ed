/** Means on a sphere: a weight of a model as one long vector, or as one a row or column, of which direction and length are merged apart. */
import { combining } from "../combination.ts";
import type { Vectors } from "../../tensor/vector-grams.ts";
import { Dual } from "../dual.ts";
import type { MethodDeclaration, Options, OptionSpec, ParameterSpec } from "../method.ts";
import {
  meanDirection,
  ofDifferences,
  ofExperts,
  onArc,
  productsOfDifferences,
  productsOfExperts,
  weightShares,
  twoOnArc,
} from "./sphere.ts";
import { karcherFactors } from "./karcher.ts";

/** Beyond this cosine vectors count as parallel in slerp, and are mixed along the straight line, as in mergekit. */
const PARALLEL = 0.9995;

const shareOf = (what: string): ParameterSpec => ({
  name: "weight",
  per: "expert",
  isWhole: true,
  range: [0, 1],
  start: "uniform",
  summary: `share of the expert's ${what}, relative to those of the others; shares that sum to 0 count as equal ones`,
});

const normalizeWeights: OptionSpec = {
  name: "normalize_weights",
  default: true,
  summary: "whether weights are divided by their sum; otherwise a sum other than 1 changes the length",
};

const flatten: OptionSpec = {
  name: "nuslerp_flatten",
  default: true,
  summary: "whether a tensor is one vector; otherwise each of its rows is one, or each of its columns",
};

const byColumn: OptionSpec = {
  name: "nuslerp_row_wise",
  default: false,
  summary:
    "whether a tensor that is not one vector has one for each column, which goes along its first dimension, instead of for each row",
};

/** As in mergekit, where a weight is a matrix of outputs by inputs and the rows of its transpose are meant. */
function vectorsOf({ nuslerp_flatten: isFlat, nuslerp_row_wise: isByColumn }: Options): "whole" | Vectors {
  if (isFlat === true) return "whole";
  return isByColumn === true ? "columns" : "rows";
}

const shoemake = "Shoemake 1985, doi:10.1145/325334.325242";
const goddard = "Goddard 2025, goddard.blog/posts/multislerp-wow-what-a-cool-idea";
const [two, several] = [{ least: 2, most: 2 }, { least: 2 }];

export const sphericalMethods: Readonly<
  Record<"slerp" | "nuslerp" | "task_nuslerp" | "multislerp" | "task_multislerp" | "karcher", MethodDeclaration>
> = {
  slerp: {
    name: "slerp",
    source: shoemake,
    ...combining("base", "the part t of the way from base to expert on the arc between them", (gram, { t = [] }) => {
      const [[baseBase = 0, baseAdded = 0] = [], [, addedAdded = 0] = []] = gram;
      const cross = baseBase + baseAdded;
      const [base, expert] = onArc(
        [
          [baseBase, cross],
          [cross, cross + baseAdded + addedAdded],
        ],
        t[0] ?? new Dual(Number.NaN),
        (cos) => Math.abs(cos) > PARALLEL,
      );
      return { base, experts: [expert] };
    }),
    parameters: [
      {
        name: "t",
        per: "model",
        isWhole: true,
        range: [0, 1],
        start: 0.5,
        summary: "how far from the base to the expert: 0 is the base, 1 the expert",
      },
    ],
    experts: { least: 1, most: 1 },
    mergekit: { parameters: {} },
  },
  nuslerp: {
    name: "nuslerp",
    source: shoemake,
    ...combining(
      "first expert",
      "a point on the arc between two experts, by the share of the second",
      (gram, { weight = [] }) => ofExperts(twoOnArc(productsOfExperts(gram), weight)),
      vectorsOf,
    ),
    parameters: [shareOf("weights")],
    options: [flatten, byColumn],
    experts: two,
    mergekit: { parameters: {}, isWithoutBase: true },
  },
  task_nuslerp: {
    name: "task_nuslerp",
    source: shoemake,
    ...combining(
      "base",
      "base + a point on the arc between the differences of two experts from it, by the share of the second",
      (gram, { weight = [] }) => ofDifferences(twoOnArc(productsOfDifferences(gram), weight)),
      vectorsOf,
    ),
    parameters: [shareOf("difference from the base")],
    options: [flatten, byColumn],
    experts: two,
    mergekit: { method: "nuslerp", parameters: {} },
  },
  multislerp: {
    name: "multislerp",
    source: goddard,
    ...combining(
      "first expert",
      "the direction that the experts' directions have in the mean, at the mean of their lengths, by weight",
      (gram, { weight = [] }, options) => ofExperts(meanDirection(productsOfExperts(gram), weightsOf(weight, options))),
    ),
    parameters: [shareOf("weights")],
    options: [normalizeWeights],
    experts: several,
    mergekit: { parameters: {}, isWithoutBase: true },
  },
  task_multislerp: {
    name: "task_multislerp",
    source: goddard,
    ...combining(
      "base",
      "base + the direction that the experts' differences from it have in the mean, at the mean of their lengths, by weight",
      (gram, { weight = [] }, options) =>
        ofDifferences(meanDirection(productsOfDifferences(gram), weightsOf(weight, options))),
    ),
    parameters: [shareOf("difference from the base")],
    options: [normalizeWeights],
    experts: several,
    mergekit: { method: "multislerp", parameters: {} },
  },
  karcher: {
    name: "karcher",
    source: "Karcher 1977, doi:10.1002/cpa.3160300502",
    ...combining(
      "first expert",
      "the direction that is nearest to the experts' directions, in the sum of squared angles, at the mean of their lengths",
      (gram, _, { max_iter: steps, tol: tolerance }) => {
        const limits = { steps: Number(steps), tolerance: Number(tolerance) };
        return ofExperts(karcherFactors(productsOfExperts(gram), limits).map((factor) => new Dual(factor)));
      },
    ),
    parameters: [],
    options: [
      {
        name: "max_iter",
        default: 10,
        limits: [0, 1_000_000],
        isInteger: true,
        summary: "steps towards the mean at most",
      },
      {
        name: "tol",
        default: 1e-5,
        limits: [0, 1],
        summary: "a step of this length, in radians, is the last; vectors that are nearer to the mean do not move it",
      },
    ],
    experts: several,
    mergekit: { parameters: {} },
  },
};

/** Weights of a mean direction. */
function weightsOf(weights: readonly Dual[], { normalize_weights: isNormalized }: Options): readonly Dual[] {
  return isNormalized === true ? weightShares(weights) : weights;
}
