/** Builders of what is computed element by element; shapes are checked here, as in expression.ts. */
import { expect } from "./check-operand.ts";
import type { Expression, Node } from "./expression.ts";
import type { GeluForm } from "./gelu.ts";
import type { Dtype } from "../tensor/dtype.ts";

/** Converts to another float format, rounding to nearest, ties to even. */
export function cast(x: Expression, dtype: Dtype): Expression {
  expect(x.dtype !== "i32", "cast", "a float input", x);
  return x.dtype === dtype ? x : { op: "cast", x, dtype, shape: x.shape };
}

/** Elementwise x + y, f32; y is repeated along the dimensions in which its size is 1. */
export function add(x: Expression, y: Expression): Expression {
  return elementwise("add", x, y);
}

/** Elementwise x - y, f32; y is repeated along the dimensions in which its size is 1. */
export function sub(x: Expression, y: Expression): Expression {
  return elementwise("sub", x, y);
}

/** Elementwise x * y, f32; y is repeated along the dimensions in which its size is 1. */
export function mul(x: Expression, y: Expression): Node<"mul"> {
  return elementwise("mul", x, y);
}

/** Elementwise x / y, f32; y is repeated along the dimensions in which its size is 1. */
export function div(x: Expression, y: Expression): Expression {
  return elementwise("div", x, y);
}

/** x * factor in f32; the factor is rounded to f32 first. */
export function scale(x: Expression, factor: number): Node<"scale"> {
  expect(x.dtype === "f32", "scale", "f32", x);
  return { op: "scale", x, factor: Math.fround(factor), dtype: "f32", shape: x.shape };
}

/** x * sigmoid(x), f32. */
export function silu(x: Expression): Expression {
  expect(x.dtype === "f32", "silu", "f32", x);
  return { op: "silu", x, dtype: "f32", shape: x.shape };
}

/** x * Phi(x), Phi the distribution function of the standard normal, f32. */
export function gelu(x: Expression, form: GeluForm): Expression {
  expect(x.dtype === "f32", "gelu", "f32", x);
  return { op: "gelu", x, form, dtype: "f32", shape: x.shape };
}

/** x where it is positive, else 0, f32. */
export function relu(x: Expression): Expression {
  expect(x.dtype === "f32", "relu", "f32", x);
  return { op: "relu", x, dtype: "f32", shape: x.shape };
}

/** Hyperbolic tangent, f32. */
export function tanh(x: Expression): Expression {
  expect(x.dtype === "f32", "tanh", "f32", x);
  return { op: "tanh", x, dtype: "f32", shape: x.shape };
}

/** |x|, f32. */
export function abs(x: Expression): Expression {
  expect(x.dtype === "f32", "abs", "f32", x);
  return { op: "abs", x, dtype: "f32", shape: x.shape };
}

/** 1 where x is positive, else 0, f32. Nothing is passed back through it. */
export function step(x: Expression): Expression {
  expect(x.dtype === "f32", "step", "f32", x);
  return { op: "step", x, dtype: "f32", shape: x.shape };
}

function elementwise<Op extends "add" | "sub" | "mul" | "div">(op: Op, x: Expression, y: Expression): Node<Op> {
  expect(x.dtype === "f32", op, "f32", x);
  const repeats = y.shape.length === x.shape.length && y.shape.every((size, i) => size === x.shape[i] || size === 1);
  expect(y.dtype === "f32" && repeats, op, `f32 [${x.shape.join(", ")}], or 1 in some places`, y);
  return { op, x, y, dtype: "f32", shape: x.shape } as Node<Op>;
}
