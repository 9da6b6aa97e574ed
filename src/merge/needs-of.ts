import type { Vectors } from "../tensor/vector-grams.ts";
import { declarationOf } from "./declarations.ts";
import type { Needs } from "./facts.ts";
import { optionsOf } from "./method.ts";
import type { Step } from "./recipe.ts";

/** What the method of a merge asks for. */
export function needsOf(step: Step): Needs | undefined {
  return step.method === "passthrough" ? undefined : declarationOf(step.method).needs;
}

/** Whether each row of a merged weight is made of the same row of the parents alone, and of what is known of all rows together. */
export function mergesByRow(step: Step): boolean {
  return !needsOf(step)?.leaves?.length && divisionOf(step) !== "rows";
}

/** What a merge divides a weight into, where it asks for lengths and angles. */
export function divisionOf(step: Step): "whole" | Vectors | undefined {
  if (step.method === "passthrough") return undefined;
  const declaration = declarationOf(step.method);
  return declaration.needs?.gram?.(optionsOf(declaration, step.options));
}
