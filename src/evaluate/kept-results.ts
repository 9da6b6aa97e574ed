/**
 * Results from inside a stage that the way forward keeps for the way back. Both build the same graph of a batch's state, so that
 * a result is known by its place in the order of that graph. How weights are merged, which only takes cheap operations, may differ.
 * @module
 */
import { isCheap } from "../device/cheap.ts";
import { input, type Expression } from "../device/expression.ts";
import { inOrder } from "../device/graph.ts";
import { worthKeeping } from "../device/worth-keeping.ts";
import type { State } from "../model/architecture.ts";
import { derivativesOf } from "./stage-derivatives.ts";
import type { StageGraph } from "./stage-graph.ts";
import { mapValues, type StateTensors } from "./stage-run.ts";

/** Of each batch, what derivatives read and would take longest to compute again, by its place. */
export function resultsToKeep(graph: StageGraph): Record<string, Expression>[] {
  const { states, slopes } = derivativesOf(graph, graph.after.map(placeholders));
  const computed = new Set(inOrder(graph.after.flatMap((state) => Object.values(state))));
  const derivatives = [...states.flatMap((state) => Object.values(state)), ...slopes.map(({ sum }) => sum)];
  const worth = worthKeeping(computed, derivatives);
  return graph.after.map((state) =>
    Object.fromEntries(orderOf(state).flatMap((node, place) => (worth.has(node) ? [[place, node]] : []))),
  );
}

/** The nodes of a graph whose results are on the device, and the inputs that stand for them; `kept` is of its batches. */
export function recalled({ after }: StageGraph, kept: readonly StateTensors[]): Map<Expression, Expression> {
  const found = new Map<Expression, Expression>();
  for (const [i, state] of after.entries()) {
    const order = orderOf(state);
    for (const [place, tensor] of Object.entries(kept[i] ?? {})) found.set(order[Number(place)]!, input(tensor));
  }
  return found;
}

/** What may be kept, by its place. */
function orderOf(state: State): Expression[] {
  return inOrder(Object.values(state)).filter((node) => !isCheap(node));
}

/** In place of seeds, which are only known once everything has been scored. */
function placeholders(state: State): State {
  return mapValues(state, ({ shape }) => input({ dtype: "f32", shape }));
}
