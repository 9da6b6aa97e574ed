/** Derivatives of one stage of one candidate, as expressions. */
import { add, dot, mul, sumTo, type Expression } from "../device/expression.ts";
import { gradients } from "../device/gradient.ts";
import { derivativeOf } from "../device/gradient-rules.ts";
import { rowsFirst } from "../device/rows-first.ts";
import { onceMore } from "../device/compute-rows.ts";
import type { State } from "../model/architecture.ts";
import type { ScaledWeight, StageGraph } from "./stage-graph.ts";

export interface StageDerivatives {
  /** By the states before the stage, of each batch; a state on which nothing depends has none. */
  readonly states: readonly State[];
  /** By the coefficients that matter: f32 [1], or as many as the weight has input columns. */
  readonly slopes: readonly (ScaledWeight & { readonly sum: Expression })[];
}

interface Seeded {
  readonly output: Expression;
  readonly seed: Expression;
}

/**
 * Derivatives of the sum over all batches of <state behind the stage, seed>. Rounding the merged weights to the checkpoint's
 * dtype passes derivatives unchanged.
 */
export function derivativesOf(
  { before, after, coefficients, heightOf }: Pick<StageGraph, "before" | "after" | "coefficients" | "heightOf">,
  seeds: readonly State[],
): StageDerivatives {
  // The nodes with a coefficient for a factor: the one of the merge, and its copies for rows of it.
  const nodes = new Map(coefficients.map(({ node }): [Expression, Expression[]] => [node, [node]]));
  const seeded = seededOutputs(after, seeds, { copied: (node, copy) => nodes.get(node)?.push(copy), heightOf });
  const wanted = [...before.flatMap((state) => Object.values(state)), ...[...nodes.values()].flat()];
  const derivatives = new Map(gradients(seeded, wanted).map((derivative, i) => [wanted[i]!, derivative]));
  const slopes = coefficients.flatMap((coefficient) => {
    const parts = nodes.get(coefficient.node)!.flatMap((node) => byFactor(node, derivatives.get(node)));
    return parts.length === 0 ? [] : [{ ...coefficient, sum: parts.reduce((sum, part) => add(sum, part)) }];
  });
  return { states: before.map((state) => mapDefined(state, (node) => derivatives.get(node))), slopes };
}

/** What the stage leaves, with its seeds; what has no seed matters to nothing. */
function seededOutputs(
  after: readonly State[],
  seeds: readonly State[],
  { copied, heightOf }: Pick<StageGraph, "heightOf"> & { copied: (node: Expression, copy: Expression) => void },
): Seeded[] {
  const seeded = after.flatMap((state, i) =>
    Object.values(mapDefined(state, (output, name) => seeds[i]?.[name] && { output, seed: seeds[i][name] })),
  );
  const outputs = rowsFirst(
    seeded.map(({ output }) => output),
    copied,
    heightOf,
  );
  return seeded.map(({ seed }, i) => ({ output: outputs[i]!, seed }));
}

/** With respect to the factor of a `scale` node, or to the numbers by which a `mul` node multiplies columns or rows. */
function byFactor(node: Expression, derivative: Expression | undefined): Expression[] {
  if (!derivative) return [];
  if (node.op === "scale") return [dot(derivative, onceMore(node.x))];
  if (node.op !== "mul") return [];
  const { x, y } = node;
  const sums = sumTo(mul(derivative, onceMore(x)), y.shape);
  // Of rows that were taken before they are multiplied, the numbers were taken too.
  if (y.op === "gatherRows") return [derivativeOf(y, "table", sums)];
  return [y.op === "sliceRows" ? derivativeOf(y, "x", sums) : sums];
}

/** A record of what there is a value for. */
function mapDefined<T, U>(
  record: Readonly<Record<string, T>>,
  to: (value: T, name: string) => U | undefined,
): Record<string, U> {
  const entries = Object.entries(record).flatMap(([name, value]) => {
    const found = to(value, name);
    return found === undefined ? [] : [[name, found] as const];
  });
  return Object.fromEntries(entries);
}
