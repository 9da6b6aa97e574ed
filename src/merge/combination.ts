/**
 * Merges whose result is a combination of base and experts, with one factor for each that depends on lengths and angles of
 * the parents. The factors are made here, on the host, in f64; what is computed of tensors is one formula for all.
 */
import { Dual } from "./dual.ts";
import type { Needs } from "./facts.ts";
import { eachExpert, firstExpert, minus, plus, sumOverExperts, theBase, times } from "./formula.ts";
import type { Gram } from "../tensor/gram.ts";
import { computing, type MethodDeclaration, type Options } from "./method.ts";

/** The factors of base and experts in a merge that is a combination of them, with their derivatives by the parameters. */
export interface Combination {
  readonly base: Dual;
  readonly experts: readonly Dual[];
}

/**
 * The combination at a weight, or at one of the vectors that it is divided into, from the inner products of its parents and the
 * values of each parameter in the order of the experts: one of the whole merge is the same at each.
 */
export type Combine = (gram: Gram, values: Readonly<Record<string, readonly Dual[]>>, options: Options) => Combination;

/** What the formula of a combination takes: the factor of each expert, and by how much all factors together exceed 1. */
const [FACTOR, EXCESS] = ["factor", "excess"];

/**
 * The part of a declaration that tells what a combination computes, of each weight or of vectors that it is divided into: from an origin, the base or the first expert, so much of
 * each expert's difference from it, and of the origin itself what the factors exceed 1. So equal parents give that parent to
 * the last bit, whatever the factors.
 */
export function combining(
  origin: "base" | "first expert",
  summary: string,
  combine: Combine,
  vectorsOf: NonNullable<Needs["gram"]> = () => "whole",
): Pick<MethodDeclaration, "formula" | "summary" | "needsBase" | "derive" | "needs"> {
  const from = origin === "base" ? theBase : firstExpert;
  const differences = sumOverExperts(times(minus(eachExpert, from), FACTOR));
  return {
    ...computing(plus(plus(from, times(from, EXCESS)), differences)),
    summary,
    needs: { gram: vectorsOf },
    derive: {
      numbers: [
        { name: FACTOR, per: "expert" },
        { name: EXCESS, per: "model" },
      ],
      make: ({ facts: { gram }, values, options }) => {
        if (!gram) throw new Error("merge: a combination without the inner products of the parents");
        const { base, experts } = combine(gram, values, options);
        const excess = Dual.sum([base, ...experts]).minus(1);
        return { [FACTOR]: experts, [EXCESS]: experts.map(() => excess) };
      },
    },
  };
}
