/** Parts of an expression whose values a kernel has without arithmetic: its code has some constants in it, by which it knows them. */
import type { Expression } from "../device/expression.ts";

/** What makes 1 or 0, or 1 or -1, of a step: others are in memory, so that merges by other numbers have the same code. */
const IN_CODE: ReadonlySet<number | undefined> = new Set([1, -1, -2]);

/** The number of a `scale`, or of a constant of one, that is in the code. */
export function numberInCode(x: Expression): number | undefined {
  const number = numberOf(x);
  return IN_CODE.has(number) ? number : undefined;
}

function numberOf(x: Expression): number | undefined {
  if (x.op === "scale") return x.factor;
  return x.op === "constant" && x.values.length === 1 ? x.values[0] : undefined;
}

/** 1 - step(of): 1 where `of` is not positive, else 0. */
export function complementStepOf(x: Expression): Expression | undefined {
  return stepLess(x, -1);
}

/** 1 - 2 step(of): what has the sign of -1 where `of` is positive, else that of 1. */
export function signStepOf(x: Expression): Expression | undefined {
  return stepLess(x, -2);
}

function stepLess(x: Expression, times: number): Expression | undefined {
  if (x.op !== "add" || numberInCode(x.y) !== 1 || x.x.op !== "mul") return undefined;
  const { x: step, y } = x.x;
  return step.op === "step" && numberInCode(y) === times ? step.x : undefined;
}

/** What is negative where x is positive, and the other way round. */
export function negatedOf(x: Expression): Expression | undefined {
  return x.op === "mul" && numberInCode(x.y) === -1 ? x.x : undefined;
}
