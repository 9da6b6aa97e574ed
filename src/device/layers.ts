/** What models are built of, in terms of the operations of expressions. */
import { sameShape, type Dtype } from "../tensor/dtype.ts";
import { add, matmul, mul, normalize, permute, reshape, scale, softmax, tanh, type Expression } from "./expression.ts";

/** x [n, in] times the transpose of weight [out, in] (any float dtype): f32 [n, out]. */
export function linear(x: Expression, weight: Expression): Expression {
  return matmul(x, weight, { transposeY: true });
}

/** x / sqrt(mean(x^2) + epsilon) * weight over the last dimension; x f32 [n, width], weight f32 [width]. */
export function rmsNorm(x: Expression, weight: Expression, epsilon: number): Expression {
  const [width = 0] = weight.shape;
  return mul(normalize(x, epsilon), reshape(weight, [1, width]));
}

/** cap * tanh(x / cap), f32: small numbers as they are, and none beyond the cap (arXiv:2408.00118, section 2). */
export function softCap(x: Expression, cap: number): Expression {
  return scale(tanh(scale(x, 1 / cap)), cap);
}

interface AttentionOptions {
  readonly factor: number;
  /** A soft one of factor * query key^T. */
  readonly cap?: number | undefined;
  /** The format that engines may round queries, keys, the softmax and values to; f32 unless given. */
  readonly precision?: Dtype | undefined;
}

type Operands<Name extends string> = Readonly<Record<Name | "query" | "mask", Expression>> & {
  readonly bias?: Expression | undefined;
};

/** `attendTo` keys and values f32 [batch, keys, kvHeads, d]. */
export function attention({ key, value, ...others }: Operands<"key" | "value">, options: AttentionOptions): Expression {
  return attendTo({ ...others, keys: headsOutside(key), values: headsOutside(value) }, options);
}

/**
 * softmax(factor * query key^T + mask) value, per sequence and head; query head h reads key/value head h / (heads / kvHeads).
 * query f32 [batch, length, heads, d], keys and values f32 [batch, kvHeads, keys, d], mask f32 [batch, length, keys] with 0 or
 * -Infinity, at least one 0 a row. Result f32 [batch * length, heads * d]. A bias, f32 [batch or 1, heads, length, keys], is added to
 * query key^T, where there is no cap.
 */
export function attendTo(
  { query, keys, values, mask, bias }: Operands<"keys" | "values">,
  { factor, cap, precision = "f32" }: AttentionOptions,
): Expression {
  const [batch = 0, length = 0, heads = 0, width = 0] = query.shape;
  const [, kvHeads = 0, count = 0] = keys.shape;
  if (!sameShape(keys.shape, [batch, kvHeads, count, width]) || heads % kvHeads !== 0) {
    const found = `[${query.shape.join(", ")}] and [${keys.shape.join(", ")}]`;
    throw new Error(`attention: expected a query and keys whose heads divide its heads, found ${found}`);
  }
  if (bias && cap !== undefined) throw new Error("attention: expected a bias or a cap, found both");
  // The query heads of a group, which share a key and value head, stack along the rows.
  const grouped = [batch, kvHeads, (heads / kvHeads) * length];
  const queries = reshape(headsOutside(query), [...grouped, width]);
  const scores = reshape(matmul(queries, keys, { transposeY: true, precision }), [batch, heads, length, count]);
  // The softmax multiplies what is capped by the cap.
  const shares =
    cap === undefined
      ? softmax(bias ? add(scores, bias) : scores, { mask, factor })
      : softmax(tanh(scale(scores, factor / cap)), { mask, factor: cap });
  const weights = reshape(shares, [...grouped, count]);
  const mixed = reshape(matmul(weights, values, { precision }), [batch, heads, length, width]);
  return reshape(headsOutside(mixed), [batch * length, heads * width]);
}

/** Exchanges the middle two of four dimensions, so that each head has a matrix; done twice, it is undone. */
export function headsOutside(x: Expression): Expression {
  return permute(x, [0, 2, 1, 3]);
}
