/** A layer of a decoder: attention and a gated MLP, each behind a norm, or between two, and added to what it was given. */
import { add, concat, gatherRows, gelu, mul, reshape, silu, type Expression } from "../device/expression.ts";
import { attendTo, headsOutside } from "../device/layers.ts";
import type { Stage, StageTensors, State } from "./architecture.ts";
import type { TokenBatch } from "./token-batch.ts";
import type { Decoder } from "./decoder-config.ts";
import type { DecoderParts } from "./decoder-parts.ts";
import { named } from "./stage-parts.ts";
import { turn } from "./decoder-rotation.ts";

/** Behind the attention of the last layer no token sees another, so what follows is computed for those that are read. */
export function layerForward(
  decoder: Decoder,
  parts: DecoderParts,
  { window, isLast }: { readonly window: number; readonly isLast: boolean },
): Stage["forward"] {
  return (weights, state, batch) => {
    const hidden = named(state, "hidden");
    const read = (x: Expression): Expression => (isLast ? gatherRows(x, batch.reads) : x);
    const mask = named(batch.masks, maskOf(window));
    const behind = (role: string, x: Expression): Expression => (weights[role] ? parts.norm(weights, role, x) : x);
    const x = parts.norm(weights, "attentionNorm", hidden);
    const { seen, remembered } = attend(decoder, parts, weights, { x, state, batch, mask });
    const attended = add(read(hidden), behind("attentionNormBehind", parts.project(weights, "output", read(seen))));
    const fed = feedForward(decoder, parts, weights, parts.norm(weights, "mlpNorm", attended));
    return { hidden: add(attended, behind("mlpNormBehind", fed)), ...(batch.remembers && remembered) };
  };
}

/** The name of the mask that lets a token see so many, itself included. */
export function maskOf(window: number): string {
  return window === Infinity ? "causal" : `window ${window}`;
}

interface Attended {
  /** Before the output projection, f32 [sequences * length, heads * width]. */
  readonly seen: Expression;
  /** The keys and values of all tokens so far. */
  readonly remembered: State;
}

function attend(
  decoder: Decoder,
  { project, precision }: DecoderParts,
  weights: StageTensors,
  {
    x,
    state,
    batch,
    mask,
  }: { readonly x: Expression; readonly state: State; readonly batch: TokenBatch; readonly mask: Expression },
): Attended {
  const { num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: width } = decoder;
  const { sequences, length } = batch;
  const turned = (y: Expression, parts: number): Expression =>
    turn(reshape(y, [sequences * length, parts, width]), batch, decoder.rotary_factor);
  const batched = (y: Expression, parts: number): Expression => reshape(y, [sequences, length, parts, width]);
  const query = batched(turned(project(weights, "query", x), heads), heads);
  const remember = (name: string, own: Expression): Expression => {
    const past = state[name];
    return past ? concat(past, headsOutside(own), 2) : headsOutside(own);
  };
  const keys = remember("keys", batched(turned(project(weights, "key", x), kvHeads), kvHeads));
  const values = remember("values", batched(project(weights, "value", x), kvHeads));
  const cap = decoder.attn_logit_softcapping ?? undefined;
  const factor = decoder.query_pre_attn_scalar ** -0.5;
  const seen = attendTo({ query, keys, values, mask }, { factor, cap, precision });
  return { seen, remembered: { keys, values } };
}

const activations: Readonly<Record<Decoder["hidden_act"], (x: Expression) => Expression>> = {
  silu,
  gelu: (x) => gelu(x, "erf"),
  gelu_pytorch_tanh: (x) => gelu(x, "tanh"),
};

function feedForward(
  { hidden_act }: Decoder,
  { project }: DecoderParts,
  weights: StageTensors,
  x: Expression,
): Expression {
  const gate = activations[hidden_act](project(weights, "gate", x));
  return project(weights, "down", mul(gate, project(weights, "up", x)));
}
