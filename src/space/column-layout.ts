import { UserError } from "../errors.ts";
import { declarationOf } from "../merge/declarations.ts";
import { allWeights, type Weight } from "../model/architecture.ts";
import type { Parents } from "./coefficient.ts";
import type { Range } from "./folds.ts";
import type { SearchSpace } from "./search-space.ts";

/** A record with a recipe of so many, f32 in base64, takes two thirds of what a record of a journal may have. */
export const MAX_COLUMNS = 2 ** 23;

/** The deviations of the columns of one weight from its coefficient, for the experts that share it. */
export interface WeightColumns {
  readonly parameter: string;
  readonly range: Range;
  readonly weight: Weight;
  readonly experts: readonly string[];
  /** Index of the first column's gene among all genes. */
  readonly firstGene: number;
  readonly count: number;
}

/** By parameter, then by weight in the order of the forward pass, then by expert. */
export function layOutColumns(space: SearchSpace, { experts, model }: Parents, firstGene: number): WeightColumns[] {
  const own: WeightColumns[] = [];
  let next = firstGene;
  for (const { name: parameter, per, isWhole } of declarationOf(space.method).parameters) {
    if (isWhole) continue;
    const { range } = space.parameters[parameter] ?? unknown(parameter);
    for (const weight of allWeights(model)) {
      const count = weight.shape.at(-1) ?? 0;
      for (const sharing of per === "expert" ? experts.map((expert) => [expert]) : [experts]) {
        own.push({ parameter, range, weight, experts: sharing, firstGene: next, count });
        next += count;
      }
    }
  }
  if (next - firstGene > MAX_COLUMNS) {
    throw new UserError(
      `the search space has ${next - firstGene} input columns, and at most ${MAX_COLUMNS} can be searched; take fewer experts, or leave out columns`,
    );
  }
  return own;
}

function unknown(parameter: string): never {
  throw new Error(`genome: the search space lacks the parameter ${parameter}`);
}
