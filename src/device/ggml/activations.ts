/**
 * Functions of single elements. Of ggml's own only silu, x sigmoid(x), is exact and fast everywhere: on CPUs its gelu is a table
 * of halves, which is off by 1e-3, and its tanh takes 20 times as long; on CUDA both have a GPU's own tanh, which is off by 5e-4.
 * So they are had from silu, within 3e-7 (bench/ggml-functions.py).
 */
import type { Node } from "../expression.ts";
import { tanhForm, type GeluForm } from "../gelu.ts";
import type { Pointer } from "./library.ts";
import type { LoweringContext } from "./lowering.ts";

/** So small that it changes no number but 0, by which nothing can be divided. */
const OFF_ZERO = 1e-30;

const { slope, cube } = tanhForm;

function gelu(node: Node<"gelu">, { ggml, context, tensorOf }: LoweringContext): Pointer {
  const x = tensorOf(node.x);
  if (node.form === "erf") return ggml.geluErf(context, x);
  const factor = ggml.scaleBias(context, ggml.mul(context, x, x), cube, slope);
  return ggml.div(context, ggml.silu(context, ggml.mul(context, x, factor)), factor);
}

/** 2 sigmoid(2 x) - 1 */
function tanh(node: Node<"tanh">, lowering: LoweringContext): Pointer {
  const { ggml, context, tensorOf } = lowering;
  const x = tensorOf(node.x);
  return ggml.scaleBias(context, sigmoid(ggml.scale(context, x, 2), lowering).sigmoid, 2, -1);
}

/** g (s + silu(x) (1 - s)), s = sigmoid(x) */
function siluBack(node: Node<"siluBack">, lowering: LoweringContext): Pointer {
  const { ggml, context, tensorOf, isCpu } = lowering;
  const [g, x] = [tensorOf(node.g), tensorOf(node.x)];
  // The CPU's own kernel is ten times as slow as that of silu.
  if (!isCpu) return ggml.siluBack(context, g, x);
  const { silu, sigmoid: s } = sigmoid(x, lowering);
  return ggml.mul(context, ggml.add(context, s, ggml.sub(context, silu, ggml.mul(context, silu, s))), g);
}

function geluBack(node: Node<"geluBack">, lowering: LoweringContext): Pointer {
  const { ggml, context, tensorOf } = lowering;
  return ggml.mul(context, slopes[node.form](tensorOf(node.x), lowering), tensorOf(node.g));
}

const slopes: Readonly<Record<GeluForm, (x: Pointer, lowering: LoweringContext) => Pointer>> = {
  /** Phi(x) + x phi(x) */
  erf: (x, { ggml, context }) => {
    const apart = ggml.scaleBias(context, x, 1, OFF_ZERO);
    const distribution = ggml.div(context, ggml.geluErf(context, apart), apart);
    const density = ggml.exp(context, ggml.scale(context, ggml.mul(context, x, x), -0.5));
    return ggml.add(context, distribution, ggml.scale(context, ggml.mul(context, density, x), (2 * Math.PI) ** -0.5));
  },
  /** s + x s (1 - s) (slope + 3 cube x^2), s = sigmoid(x (slope + cube x^2)) */
  tanh: (x, lowering) => {
    const { ggml, context } = lowering;
    const square = ggml.mul(context, x, x);
    const { sigmoid: s } = sigmoid(ggml.mul(context, x, ggml.scaleBias(context, square, cube, slope)), lowering);
    const result = ggml.mul(context, x, s);
    const rest = ggml.sub(context, result, ggml.mul(context, result, s));
    return ggml.add(context, s, ggml.mul(context, rest, ggml.scaleBias(context, square, 3 * cube, slope)));
  },
};

/** By operation. */
export const activations = { gelu, tanh, siluBack, geluBack };

/** Both x sigmoid(x) and sigmoid(x). */
function sigmoid(x: Pointer, { ggml, context }: LoweringContext): Readonly<Record<"silu" | "sigmoid", Pointer>> {
  const apart = ggml.scaleBias(context, x, 1, OFF_ZERO);
  const silu = ggml.silu(context, apart);
  return { silu, sigmoid: ggml.div(context, silu, apart) };
}
