/** Merge methods as expressions: f32 throughout, summed in the order of the experts, rounded once at the end. */
import { storedDtype } from "../device/device.ts";
import { add, cast, scale, sub, type Expression } from "../device/expression.ts";
import type { MethodName } from "./declarations.ts";
import type { Step } from "./recipe.ts";

/** One weight of every parent, all of one shape; `models` has base and experts by name. */
export interface MergeParents {
  readonly models: Readonly<Record<string, Expression>>;
  readonly base: string;
  readonly experts: readonly string[];
}

interface Operands {
  readonly base: Expression;
  readonly experts: readonly Expression[];
}

type Formula = (operands: Operands, values: Readonly<Record<string, readonly number[]>>) => Expression;

const formulas: Readonly<Record<MethodName, Formula>> = {
  /** sum_i w_i expert_i (Wortsman et al. 2022, arXiv:2203.05482). */
  linear: ({ experts }, { weight }) => weightedSum(experts, weight),
  /** base + sum_i w_i (expert_i - base) (Ilharco et al. 2023, arXiv:2212.04089). */
  task_arithmetic: ({ base, experts }, { weight }) => {
    const differences = experts.map((expert) => sub(expert, base));
    return add(base, weightedSum(differences, weight));
  },
};

/** The merged weight, in the dtype of the base. */
export function mergeTensor(parents: MergeParents, step: Step): Expression {
  const base = modelOf(parents, parents.base);
  if (step.method === "passthrough") return cast(modelOf(parents, step.model), storedDtype(base));
  const experts = parents.experts.map((name) => cast(modelOf(parents, name), "f32"));
  const merged = formulas[step.method]({ base: cast(base, "f32"), experts }, step.values);
  return cast(merged, storedDtype(base));
}

function weightedSum(terms: readonly Expression[], weights: readonly number[] | undefined): Expression {
  if (weights?.length !== terms.length) throw new Error(`merge: ${terms.length} experts, ${weights?.length} weights`);
  return terms.map((term, i) => scale(term, weights[i] ?? Number.NaN)).reduce((total, term) => add(total, term));
}

function modelOf({ models }: MergeParents, name: string): Expression {
  const model = models[name];
  if (!model) throw new Error(`merge: no model named ${name}`);
  return model;
}
