/**
 * Merges of what experts add to the base, their task vectors: first each is made sparse, then summed, where they disagree about
 * a sign perhaps only by those that have the sign of the sum, and perhaps divided by the sum of the weights. A family in rows.
 */
import {
  type Formula,
  isPositive,
  number,
  plus,
  product,
  quotient,
  sumOverExperts,
  theBase,
  times,
  withName,
} from "../formula.ts";
import type { MethodDeclaration, Options, OptionSpec, ParameterSpec } from "../method.ts";
import { orOne, signOf } from "./signs.ts";
import { type Sparsifier, sparsifiers } from "./sparsifiers.ts";

interface Row {
  readonly sparsifier: keyof typeof sparsifiers;
  /** Whether experts elect a sign for each element. */
  readonly elects: boolean;
  /** Whether the sum is divided by that of the weights, unless a recipe says otherwise. */
  readonly normalize: boolean;
  readonly source: string;
}

const yadav = "Yadav et al. 2023, arXiv:2306.01708";
const yu = "Yu et al. 2023, arXiv:2311.03099";
const davari = "Davari and Belilovsky 2023, arXiv:2312.06795";
const deep = "Deep et al. 2024, arXiv:2406.11617";

const rows = {
  ties: { sparsifier: "trim", elects: true, normalize: true, source: yadav },
  dare_linear: { sparsifier: "drop", elects: false, normalize: false, source: yu },
  dare_ties: { sparsifier: "drop", elects: true, normalize: false, source: yu },
  breadcrumbs: { sparsifier: "trimBoth", elects: false, normalize: false, source: davari },
  breadcrumbs_ties: { sparsifier: "trimBoth", elects: true, normalize: false, source: davari },
  della: { sparsifier: "dropByRank", elects: true, normalize: true, source: deep },
  della_linear: { sparsifier: "dropByRank", elects: false, normalize: false, source: deep },
} as const satisfies Readonly<Record<string, Row>>;

const weight: ParameterSpec = {
  name: "weight",
  per: "expert",
  range: [0, 1.5],
  start: 0.8,
  summary: "how much the expert's difference from the base counts, also where signs are elected",
};

const lambda: ParameterSpec = {
  name: "lambda",
  per: "model",
  range: [0, 2],
  start: 1,
  summary: "what the merged difference is multiplied by before it is added to the base",
};

const normalize = (usual: boolean): OptionSpec => ({
  name: "normalize",
  default: usual,
  summary: "whether the sum is divided by that of the weights that take part in it",
});

function declare(name: string, { sparsifier, elects, normalize: usual, source }: Row): MethodDeclaration {
  const { words, needs, derive, parameters, options, changeOf }: Sparsifier = sparsifiers[sparsifier];
  return {
    name,
    source,
    formula: (given) => merged(withName("change", times(changeOf(given), "weight")), elects, given),
    summary: `base + lambda x the weighted ${usual ? "mean" : "sum"} of differences from it, ${words}${elects ? ", where these have the sign of their sum" : ""}`,
    needsBase: true,
    parameters: [weight, ...parameters, lambda],
    options: [normalize(usual), ...options],
    ...(derive && { derive }),
    needs,
    mergekit: { parameters: {} },
  };
}

/** The base and what is made of changes, each of which is an expert's sparse difference times its weight. */
function merged(change: Formula, elects: boolean, { normalize: isNormalized }: Options): Formula {
  const total = withName("total", sumOverExperts(change));
  // 1 where a change takes part. As in mergekit, the sum that elects is by weight, and 0 elects the positive ones.
  const agrees = isPositive(product(change, signOf(total)));
  const parts = elects ? withName("part", agrees) : undefined;
  const sum = parts ? sumOverExperts(product(parts, change)) : total;
  const weights = sumOverExperts(times(parts ?? number(1), "weight"));
  return plus(theBase, times(isNormalized ? quotient(sum, orOne(withName("weight_sum", weights))) : sum, "lambda"));
}

export const taskVectorMethods = Object.fromEntries(
  Object.entries(rows).map(([name, row]) => [name, declare(name, row)]),
) as Readonly<Record<keyof typeof rows, MethodDeclaration>>;
