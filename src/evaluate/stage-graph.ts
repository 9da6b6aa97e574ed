/** One stage of one candidate as expressions: its merged weights, and what it makes of the states before it. */
import { input, type Expression } from "../device/expression.ts";
import { productsInBlocks } from "../device/row-blocks.ts";
import { mergeTensor, type Scaled } from "../merge/merge-tensor.ts";
import type { StageTensors, State, Weight } from "../model/architecture.ts";
import type { BatchShare } from "./device-batches.ts";
import type { PathStage } from "./path.ts";
import { heldAs } from "./route.ts";
import { mapValues, type StageRun, type StateTensors } from "./stage-run.ts";

/** Where coefficients enter a weight. */
export interface ScaledWeight extends Scaled {
  readonly weight: Weight;
}

/** Built of the same stage and share, the same graph. */
export interface StageGraph {
  /** By role. */
  readonly merged: StageTensors;
  readonly coefficients: readonly ScaledWeight[];
  /** Of each batch of the share; before the first stage there is none. */
  readonly before: readonly State[];
  readonly after: readonly State[];
  /** Rows that a merged weight has in the model, of which some alone may be there. */
  readonly heightOf: (table: Expression) => number;
}

/** `states` has what the stage before left of every batch. */
export function stageGraph(
  run: Pick<StageRun, "merging" | "tensors" | "batches" | "differences">,
  at: PathStage,
  states: readonly StateTensors[],
  share: BatchShare,
): StageGraph {
  const coefficients: ScaledWeight[] = [];
  const merged = mergeStage(run, at, (coefficient) => coefficients.push(coefficient));
  const before = inputsOf(states, share);
  const own = run.batches.batches.slice(share.start, share.end);
  const after = own.map((batch, i) => at.stage.forward(merged, before[i]!, batch));
  const heights = new Map(Object.entries(at.stage.weights).map(([role, { shape }]) => [merged[role], shape[0]]));
  const heightOf = (table: Expression): number => heights.get(table) ?? table.shape[0] ?? 0;
  return { merged, before, heightOf, ...inBlocks(after, coefficients) };
}

/** The same where large weights are merged in blocks, each of which a coefficient enters. */
export function inBlocks(
  after: readonly State[],
  coefficients: readonly ScaledWeight[],
  wholeElements?: number,
): Pick<StageGraph, "after" | "coefficients"> {
  const known = new Map(coefficients.map((coefficient) => [coefficient.node, coefficient] as const));
  const all = [...coefficients];
  const outputs = productsInBlocks(
    after.flatMap((state) => Object.values(state)),
    (node, copy) => {
      const coefficient = known.get(node as ScaledWeight["node"]);
      if (coefficient) all.push({ ...coefficient, node: copy as ScaledWeight["node"] });
    },
    wholeElements,
  );
  let next = 0;
  return { after: after.map((state) => mapValues(state, () => outputs[next++]!)), coefficients: all };
}

/** What is read of the states of every batch in a share. */
export function inputsOf(states: readonly StateTensors[], { start, end }: BatchShare): State[] {
  return Array.from({ length: end - start }, (_, i) => mapValues(states[start + i] ?? {}, input));
}

/** The merged weights of a stage; `meet` is told where each coefficient enters, for derivatives. */
export function mergeStage(
  { merging, tensors, differences }: Pick<StageRun, "merging" | "tensors" | "differences">,
  { stage, sources }: PathStage,
  meet: (coefficient: ScaledWeight) => void = () => {},
): StageTensors {
  const { base, experts, parents } = merging;
  const merged = Object.entries(stage.weights).map(([role, weight]): [string, Expression] => {
    const source = sources[role]!;
    const { name, step } = source;
    const models = mapValues(tensors.get(heldAs(source)) ?? {}, input);
    const known = { differences: differences?.get(name)?.map(input), ...parents.known(name, step) };
    return [role, mergeTensor({ models, base, experts, ...known }, step, (scaled) => meet({ weight, ...scaled }))];
  });
  return Object.fromEntries(merged);
}
