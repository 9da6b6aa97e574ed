import type { Expression, Operation } from "./expression.ts";

/** Operations that take hardly longer than writing down what they give: they are done again where that is read. */
const CHEAP: ReadonlySet<Operation> = new Set([
  "input",
  "constant",
  "cast",
  "reshape",
  "permute",
  "add",
  "sub",
  "mul",
  "div",
  "scale",
  "silu",
  "gelu",
  "relu",
  "abs",
  "step",
  "normalize",
  "gatherRows",
  "sliceRows",
]);

/** Whether a result is computed again rather than kept. */
export function isCheap({ op }: Expression): boolean {
  return CHEAP.has(op);
}
