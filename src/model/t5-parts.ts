/** What stages of a T5 do with the weight of a role. */
import { cast, type Expression } from "../device/expression.ts";
import { linear, rmsNorm } from "../device/layers.ts";
import type { Dtype } from "../tensor/dtype.ts";
import type { StageTensors } from "./architecture.ts";
import type { SourceBatch, TokenBatch } from "./token-batch.ts";
import { named, once } from "./stage-parts.ts";
import type { T5 } from "./t5-config.ts";

export interface T5Parts {
  /** Of products. */
  readonly precision: Dtype;
  /** x [n, in] to f32 [n, out] */
  readonly project: (weights: StageTensors, role: string, x: Expression) => Expression;
  /** x f32 [n, width], in that shape. */
  readonly norm: (weights: StageTensors, role: string, x: Expression) => Expression;
}

/** Matrix products run in `precision`; norms, softmax and everything between are f32. */
export function t5Parts({ layer_norm_epsilon: epsilon }: T5, precision: Dtype): T5Parts {
  const toPrecision = once((weight) => cast(weight, precision));
  const toF32 = once((weight) => cast(weight, "f32"));
  return {
    precision,
    project: (weights, role, x) => linear(x, toPrecision(named(weights, role))),
    norm: (weights, role, x) => rmsNorm(x, toF32(named(weights, role)), epsilon),
  };
}

export function sourceOf({ source }: TokenBatch): SourceBatch {
  if (!source) throw new Error("t5: a batch without what the encoder reads");
  return source;
}
