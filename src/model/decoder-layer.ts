/** A layer of a decoder: attention and a gated MLP, each behind a norm, or between two, and added to what it was given. */
import { add, concat, gatherRows, gelu, mul, reshape, silu, type Expression } from "../device/expression.ts";
import { attendTo, headsOutside } from "../device/layers.ts";
import type { Stage, StageTensors, State } from "./architecture.ts";
import type { TokenBatch, TokenRows } from "./token-batch.ts";
import type { Decoder } from "./decoder-config.ts";
import type { DecoderParts } from "./decoder-parts.ts";
import { fromPlaces, maskOfReads, toPlaces } from "./placing.ts";
import { named } from "./stage-parts.ts";
import { turn } from "./decoder-rotation.ts";

/** No token sees another behind the last layer, so there all but keys and values is computed for those alone that are read. */
export function layerForward(
  decoder: Decoder,
  parts: DecoderParts,
  { window, isLast }: { readonly window: number; readonly isLast: boolean },
): Stage["forward"] {
  return (weights, state, batch) => {
    const hidden = named(state, "hidden");
    const reads = isLast ? batch.reads : undefined;
    const read = (x: Expression): Expression => (reads ? gatherRows(x, reads.tokens) : x);
    const mask = named(batch.masks, maskOf(window));
    const behind = (role: string, x: Expression): Expression => (weights[role] ? parts.norm(weights, role, x) : x);
    const x = parts.norm(weights, "attentionNorm", hidden);
    const asking = reads ? { rows: reads, x: read(x), mask: maskOfReads(mask, reads) } : { rows: batch, x, mask };
    const { seen, remembered } = attend(decoder, parts, weights, { x, asking, state, batch });
    const attended = add(read(hidden), behind("attentionNormBehind", parts.project(weights, "output", seen)));
    const fed = feedForward(decoder, parts, weights, parts.norm(weights, "mlpNorm", attended));
    return { hidden: add(attended, behind("mlpNormBehind", fed)), ...(batch.remembers && remembered) };
  };
}

/** The name of the mask that lets a token see so many, itself included. */
export function maskOf(window: number): string {
  return window === Infinity ? "causal" : `window ${window}`;
}

/** The tokens whose attention is wanted. */
interface Asking {
  readonly rows: TokenRows;
  /** f32 [tokens, hidden] */
  readonly x: Expression;
  /** f32 [sequences, length of the rows, tokens that are seen] */
  readonly mask: Expression;
}

interface Attending {
  /** Of all tokens of the batch, f32 [tokens, hidden]. */
  readonly x: Expression;
  readonly asking: Asking;
  readonly state: State;
  readonly batch: TokenBatch;
}

interface Attended {
  /** Of the tokens that ask, before the output projection, f32 [tokens, heads * width]. */
  readonly seen: Expression;
  /** The keys and values of all tokens so far. */
  readonly remembered: State;
}

function attend(
  decoder: Decoder,
  { project, precision }: DecoderParts,
  weights: StageTensors,
  { x, asking, state, batch }: Attending,
): Attended {
  const { num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: width } = decoder;
  const turned = (y: Expression, { positions }: TokenRows, parts: number): Expression => {
    const [tokens = 0] = y.shape;
    const own = { positions, constants: batch.constants };
    return reshape(turn(reshape(y, [tokens, parts, width]), own, decoder.rotary_factor), [tokens, parts * width]);
  };
  const placed = (y: Expression, rows: TokenRows, parts: number): Expression =>
    reshape(toPlaces(y, rows), [rows.sequences, rows.length, parts, width]);
  const query = placed(turned(project(weights, "query", asking.x), asking.rows, heads), asking.rows, heads);
  const remember = (name: string, own: Expression): Expression => {
    const past = state[name];
    return past ? concat(past, headsOutside(own), 2) : headsOutside(own);
  };
  const keys = remember("keys", placed(turned(project(weights, "key", x), batch, kvHeads), batch, kvHeads));
  const values = remember("values", placed(project(weights, "value", x), batch, kvHeads));
  const cap = decoder.attn_logit_softcapping ?? undefined;
  const factor = decoder.query_pre_attn_scalar ** -0.5;
  const seen = attendTo({ query, keys, values, mask: asking.mask }, { factor, cap, precision });
  return { seen: fromPlaces(seen, asking.rows), remembered: { keys, values } };
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
