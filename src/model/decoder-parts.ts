/** What the stages of a decoder do with the weight of a role. */
import { add, cast, constant, reshape, sliceRows, type Expression } from "../device/expression.ts";
import { linear, rmsNorm } from "../device/layers.ts";
import type { Dtype } from "../tensor/dtype.ts";
import type { StageTensors } from "./architecture.ts";
import type { Decoder } from "./decoder-config.ts";
import { biasOf, joinedRows } from "./decoder-weights.ts";
import { named, once } from "./stage-parts.ts";

export interface DecoderParts {
  readonly precision: Dtype;
  /** x [n, in] to f32 [n, out], the bias of the role added where there is one. */
  readonly project: (weights: StageTensors, role: string, x: Expression) => Expression;
  /** x f32 [n, width], in that shape. */
  readonly norm: (weights: StageTensors, role: string, x: Expression) => Expression;
}

/** Matrix products run in `precision`; norms, softmax and everything between are f32. */
export function decoderParts(decoder: Decoder, precision: Dtype): DecoderParts {
  const { rms_norm_eps: epsilon, norm_offset } = decoder;
  const toPrecision = once((weight) => cast(weight, precision));
  const toF32 = once((weight) => cast(weight, "f32"));
  const offset = constant(Float32Array.of(norm_offset), [1]);
  const gainOf = once((weight) => (norm_offset === 0 ? toF32(weight) : add(toF32(weight), offset)));
  const slices = new Map(
    Array.from(joinedRows(decoder), ([role, joined]) => {
      const slice = once((weight) => sliceRows(weight, joined.from, joined.rows));
      return [role, (weights: StageTensors) => slice(toPrecision(named(weights, joined.role)))];
    }),
  );
  const factorOf = (weights: StageTensors, role: string): Expression =>
    slices.get(role)?.(weights) ?? toPrecision(named(weights, role));
  return {
    precision,
    project: (weights, role, x) => {
      const product = linear(x, factorOf(weights, role));
      const bias = weights[biasOf(role)];
      return bias ? add(product, reshape(toF32(bias), [1, bias.shape[0] ?? 0])) : product;
    },
    norm: (weights, role, x) => rmsNorm(x, gainOf(named(weights, role)), epsilon),
  };
}
