import { UserError } from "../errors.ts";
import { declarationOf } from "../merge/declarations.ts";
import type { ParameterSpec } from "../merge/method.ts";
import { geneRange } from "./coefficient-genes.ts";
import { type CurveKey, curveKeys, type KeyedModel } from "./curve-keys.ts";
import { type CurveTerm, curveTerms, type Depth, termCount } from "./depth-curve.ts";
import type { ParameterSpace, SearchSpace } from "./search-space.ts";

/** What a genome is laid out for. */
export interface Parents {
  /** Names of the experts. */
  readonly experts: readonly string[];
  /** Such as all parents are. */
  readonly model: KeyedModel;
}

/** One value of a merge that varies over the depth: a parameter, for an expert or all, in a set of groups or in one kind of tensors. */
export interface Coefficient {
  readonly parameter: ParameterSpec;
  readonly space: ParameterSpace;
  /** The expert that it is for, or all of them. */
  readonly experts: readonly string[];
  readonly keys: readonly CurveKey[];
  /** Layers that its curve goes through: those of the stack that its keys are in, or of the longest of several. */
  readonly layers: number;
  /** What its keys are together: `attention`, `norm+embedding`, `q_proj`, or `all`. */
  readonly set: string;
  /** Such as `nature.attention.weight`. */
  readonly name: string;
  /** Where the search starts, before it is moved into the range. */
  readonly start: number;
  readonly terms: readonly CurveTerm[];
  /** Index of its first gene among all genes. */
  readonly firstGene: number;
}

/** One coordinate of the search. */
export interface Gene {
  /** Such as `nature.attention.weight.dct1`. */
  readonly name: string;
  /** Its values at the ends of the unit interval, in units of the parameter. */
  readonly range: readonly [number, number];
}

/** A population of points of so many numbers makes a journal of 3 MB a generation. */
const MAX_GENES = 5000;

function tooManyGenes({ groups, depth }: SearchSpace, sets: number): string {
  const [what, fewer] =
    groups === "tensors" ? ["kinds of tensors", "sets of groups instead"] : ["sets of groups", "fewer sets"];
  return `the search space has more than ${MAX_GENES} genes, with ${sets} ${what} and the depth ${depth.curve}; take ${fewer}, or a curve of fewer terms`;
}

/** All coefficients of a search space, in the order of their genes: by parameter, then by expert, then by group or kind of tensors. */
export function layOutCoefficients(space: SearchSpace, { experts, model }: Parents): Coefficient[] {
  const coefficients: Coefficient[] = [];
  const sets = curveKeys(space, model);
  let firstGene = 0;
  for (const parameter of declarationOf(space.method).parameters) {
    const ownSpace = space.parameters[parameter.name];
    if (ownSpace === undefined) throw new Error(`genome: the search space lacks the parameter ${parameter.name}`);
    const start = ownSpace.start === "uniform" ? 1 / experts.length : ownSpace.start;
    for (const sharing of parameter.per === "expert" ? experts.map((expert) => [expert]) : [experts]) {
      for (const keys of sets) {
        const depth: Depth = keys.some((key) => key.isLayered) ? space.depth : { curve: "constant" };
        const layers = Math.max(...keys.map((key) => key.layers));
        if (firstGene + termCount(depth, layers) > MAX_GENES) throw new UserError(tooManyGenes(space, sets.length));
        const terms = curveTerms(depth, layers);
        const set = keys.length === model.groups.length ? "all" : keys.map((key) => key.name).join("+");
        const name = [...(parameter.per === "expert" ? sharing : []), set, parameter.name].join(".");
        const own = { parameter, space: ownSpace, experts: sharing };
        coefficients.push({ ...own, keys, layers, set, name, start, terms, firstGene });
        firstGene += terms.length;
      }
    }
  }
  return coefficients;
}

/** The genes of a coefficient; those that are deviations range as far to either side of 0 as the range is from its middle. */
export function genesOf({ name, terms, space }: Coefficient): Gene[] {
  return terms.map((term) => ({
    name: term.name === "" ? name : `${name}.${term.name}`,
    range: geneRange(term, space.range),
  }));
}
