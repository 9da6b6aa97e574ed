/** How a task vector, what an expert adds to the base, is made sparse: which elements stay, and what they are multiplied by. */
import { Dual } from "../dual.ts";
import {
  eachExpert,
  type Formula,
  isPositive,
  leaf,
  magnitude,
  minus,
  number,
  plus,
  product,
  quotient,
  theBase,
} from "../formula.ts";
import { noise } from "../leaves/noise.ts";
import { rowRanks } from "../leaves/row-ranks.ts";
import { type MethodDeclaration, type Options, type OptionSpec, type ParameterSpec, SHARE_UNIT } from "../method.ts";

export interface Sparsifier extends Pick<MethodDeclaration, "derive"> {
  readonly needs: NonNullable<MethodDeclaration["needs"]>;
  readonly parameters: readonly ParameterSpec[];
  readonly options: readonly OptionSpec[];
  readonly words: string;
  /** What stays of an expert's difference from the base. */
  readonly changeOf: (options: Options) => Formula;
}

const difference = minus(eachExpert, theBase);
const size = magnitude(difference);

const density: ParameterSpec = {
  name: "density",
  per: "expert",
  range: [0.1, 1],
  start: 0.5,
  limits: [SHARE_UNIT, 1],
  isWhole: true,
  isDeciding: true,
  unit: SHARE_UNIT,
  summary: "part of the expert's difference from the base that is kept",
};

const gamma: ParameterSpec = {
  name: "gamma",
  per: "expert",
  range: [0, 0.05],
  start: 0.01,
  limits: [0, 1 - SHARE_UNIT],
  isWhole: true,
  isDeciding: true,
  unit: SHARE_UNIT,
  summary:
    "part of the elements, those where the expert differs most from the base, that is left out; less where density leaves no room",
};

const epsilon: ParameterSpec = {
  name: "epsilon",
  per: "expert",
  range: [0, 0.2],
  start: 0.1,
  limits: [0, 0.5],
  isWhole: true,
  isDeciding: true,
  unit: SHARE_UNIT,
  summary:
    "how far from the density the chance of an element to stay goes, from the least of its row to the largest; less where density leaves no room",
};

const rescale: OptionSpec = {
  name: "rescale",
  default: true,
  summary: "whether what stays is divided by its chance to stay, so that the mean is as without dropping",
};

const keepNorm: OptionSpec = {
  name: "rescale",
  default: false,
  summary: "whether what stays is multiplied so that its magnitudes have the sum that they had before trimming",
};

/** What stays of a trimmed difference. */
function trimmed(isKept: Formula, { rescale: isScaled }: Options): Formula {
  const kept = product(difference, isKept);
  return isScaled === true ? product(kept, number("gain")) : kept;
}

/** Of so many elements how many stay: at least one. */
function keptOf(share: number, count: number): number {
  return Math.max(1, Math.floor(share * count));
}

/** The next f32 below a positive one, or a negative number: what is larger than that is at least as large as the magnitude. */
function below(value: number): number {
  if (value === 0) return -1;
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  return new Float32Array(bits.map((own) => own - 1).buffer)[0] ?? Number.NaN;
}

function constants(values: readonly (number | undefined)[]): Dual[] {
  return values.map((value) => new Dual(value ?? Number.NaN));
}

function numbersIn(values: readonly Dual[] | undefined): number[] {
  return (values ?? []).map(({ value }) => value);
}

const ofExperts = (...names: string[]): { readonly name: string; readonly per: "expert" }[] =>
  names.map((name) => ({ name, per: "expert" }));

export const sparsifiers = {
  /** The largest stay; of equal ones at the cut all. */
  trim: {
    words: "each trimmed to its largest part",
    parameters: [density],
    options: [keepNorm],
    needs: {
      cuts: ({ density: kept = 1 }, count) => [count - keptOf(kept, count)],
      keeps: ([least = Number.NaN], { rescale: isScaled }) => (isScaled === true ? [least, Infinity] : undefined),
    },
    derive: {
      numbers: ofExperts("below", "gain"),
      make: ({ facts: { cuts = [], gains = [] } }) => ({
        below: constants(cuts.map(([least = Number.NaN]) => below(least))),
        gain: constants(gains),
      }),
    },
    changeOf: (options) => trimmed(isPositive(minus(size, number("below"))), options),
  },
  /** Neither the very largest stay nor the small ones. */
  trimBoth: {
    words: "each trimmed of its small and its very largest elements",
    parameters: [density, gamma],
    options: [keepNorm],
    needs: {
      cuts: ({ density: share = 1, gamma: out = 0 }, count) => {
        const kept = keptOf(share, count);
        const outliers = Math.min(Math.floor(out * count), count - kept);
        return [count - kept - outliers, count - outliers - 1];
      },
      keeps: ([least = Number.NaN, largest = Number.NaN], { rescale: isScaled }) =>
        isScaled === true ? [least, largest] : undefined,
    },
    derive: {
      numbers: ofExperts("below", "largest", "gain"),
      make: ({ facts: { cuts = [], gains = [] } }) => ({
        below: constants(cuts.map(([least = Number.NaN]) => below(least))),
        largest: constants(cuts.map(([, largest]) => largest)),
        gain: constants(gains),
      }),
    },
    changeOf: (options) =>
      trimmed(minus(isPositive(minus(size, number("below"))), isPositive(minus(size, number("largest")))), options),
  },
  /** Each element stays by chance. */
  drop: {
    words: "each thinned at random",
    parameters: [density],
    options: [rescale],
    needs: { leaves: [noise] },
    derive: {
      numbers: ofExperts("gain"),
      make: ({ values }) => ({ gain: constants(numbersIn(values["density"]).map((kept) => 1 / kept)) }),
    },
    changeOf: ({ rescale: isScaled }) => {
      const isKept = isPositive(product(minus(leaf(noise.name), number("density")), number(-1)));
      const kept = product(difference, isKept);
      return isScaled ? product(kept, number("gain")) : kept;
    },
  },
  /** Each element stays by chance, the larger ones of a row more likely. */
  dropByRank: {
    words: "each thinned at random, small elements of a row sooner",
    parameters: [density, epsilon],
    options: [rescale],
    needs: { leaves: [noise, rowRanks] },
    derive: {
      numbers: ofExperts("least", "span"),
      make: ({ values }) => {
        const kept = numbersIn(values["density"]);
        const room = numbersIn(values["epsilon"]).map((wanted, i) => {
          const share = kept[i] ?? Number.NaN;
          return Math.max(0, Math.min(wanted, share - SHARE_UNIT, 1 - share));
        });
        return {
          least: constants(kept.map((share, i) => share - (room[i] ?? Number.NaN))),
          span: constants(room.map((own) => 2 * own)),
        };
      },
    },
    changeOf: ({ rescale: isScaled }) => {
      const chance = plus(product(leaf(rowRanks.name), number("span")), number("least"));
      const kept = product(difference, isPositive(minus(chance, leaf(noise.name))));
      return isScaled ? quotient(kept, chance) : kept;
    },
  },
} as const satisfies Readonly<Record<string, Sparsifier>>;
