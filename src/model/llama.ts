/** Llama and Mistral: RMSNorm, rotary positions, grouped-query attention, SwiGLU; tied or untied head. */
import { add, attention, cast, gatherRows, linear, mul, reshape, rmsNorm, rope, silu } from "../device/expression.ts";
import type { Expression } from "../device/expression.ts";
import type { Dtype } from "../tensor/dtype.ts";
import type { Architecture, Group, Model, StageTensors, StageWeights, TokenBatch, Weight } from "./architecture.ts";
import { llamaConfig, mistralConfig, type LlamaConfig } from "./llama-config.ts";

/** Buffers that earlier versions of transformers saved, and the copy of the embedding that a tied head is. */
const ignorable =
  /\.rotary_emb\.(inv_freq|cos_cached|sin_cached)$|\.masked_bias$|(^|\.)position_ids$|^lm_head\.weight$/;

/** Matrix products run in `precision`; norms, softmax and everything between are f32. */
function buildLlama(config: LlamaConfig, precision: Dtype): Model {
  const { num_attention_heads: heads, kvHeads, width, rms_norm_eps: epsilon } = config;
  const project = (x: Expression, weight: Expression | undefined): Expression =>
    linear(x, cast(present(weight), precision));
  const norm = (x: Expression, weight: Expression | undefined): Expression =>
    rmsNorm(x, cast(present(weight), "f32"), epsilon);

  /** Before the output projection, f32 [sequences * length, heads * width]. */
  const attend = (weights: StageTensors, x: Expression, batch: TokenBatch, periods: Expression): Expression => {
    const { sequences, length, positions, mask } = batch;
    const split = (y: Expression, parts: number): Expression => reshape(y, [sequences * length, parts, width]);
    const batched = (y: Expression, parts: number): Expression => reshape(y, [sequences, length, parts, width]);
    const query = batched(rope(split(project(x, weights["query"]), heads), positions, periods), heads);
    const key = batched(rope(split(project(x, weights["key"]), kvHeads), positions, periods), kvHeads);
    const value = batched(project(x, weights["value"]), kvHeads);
    return attention({ query, key, value, mask }, width ** -0.5);
  };
  const feedForward = (weights: StageTensors, x: Expression): Expression =>
    project(mul(silu(project(x, weights["gate"])), project(x, weights["up"])), weights["down"]);

  return {
    identity: identityOf(config),
    layers: config.num_hidden_layers,
    vocabularySize: config.vocab_size,
    hiddenSize: config.hidden_size,
    maxLength: config.max_position_embeddings,
    window: config.sliding_window ?? Infinity,
    periods: config.periods,
    ...llamaWeights(config),
    ignorable,
    embed: (weights, batch) => gatherRows(present(weights["tokens"]), batch.tokens),
    layer: (weights, hidden, batch, periods, reads) => {
      const read = (x: Expression): Expression => (reads ? gatherRows(x, reads) : x);
      const seen = attend(weights, norm(hidden, weights["attentionNorm"]), batch, periods);
      const attended = add(read(hidden), project(read(seen), weights["output"]));
      return add(attended, feedForward(weights, norm(attended, weights["mlpNorm"])));
    },
    logits: (weights, hidden) => project(norm(hidden, weights["norm"]), weights["head"]),
  };
}

/** The longest context may differ: fine-tunes often name another. */
function identityOf(config: LlamaConfig): Model["identity"] {
  return {
    vocab_size: config.vocab_size,
    hidden_size: config.hidden_size,
    intermediate_size: config.intermediate_size,
    num_hidden_layers: config.num_hidden_layers,
    num_attention_heads: config.num_attention_heads,
    num_key_value_heads: config.kvHeads,
    head_dim: config.width,
    rms_norm_eps: config.rms_norm_eps,
    tie_word_embeddings: config.tie_word_embeddings,
    sliding_window: config.sliding_window,
    "rotary periods": [...config.periods],
  };
}

/** Names of the tensors in a checkpoint, as transformers writes them. */
function llamaWeights(config: LlamaConfig): Pick<Model, "embedding" | "layerWeights" | "head"> {
  const { hidden_size: hidden, intermediate_size: inner, vocab_size: vocabulary, kvHeads, width } = config;
  const heads = config.num_attention_heads;
  const tokens: Weight = { name: "model.embed_tokens.weight", shape: [vocabulary, hidden], group: "embedding" };
  const layer = (index: number): StageWeights => {
    const weight = (name: string, group: Group, ...shape: number[]): Weight => ({
      name: `model.layers.${index}.${name}.weight`,
      shape,
      group,
      layer: index,
    });
    return {
      attentionNorm: weight("input_layernorm", "norm", hidden),
      query: weight("self_attn.q_proj", "attention", heads * width, hidden),
      key: weight("self_attn.k_proj", "attention", kvHeads * width, hidden),
      value: weight("self_attn.v_proj", "attention", kvHeads * width, hidden),
      output: weight("self_attn.o_proj", "attention", hidden, heads * width),
      mlpNorm: weight("post_attention_layernorm", "norm", hidden),
      gate: weight("mlp.gate_proj", "mlp", inner, hidden),
      up: weight("mlp.up_proj", "mlp", inner, hidden),
      down: weight("mlp.down_proj", "mlp", hidden, inner),
    };
  };
  return {
    embedding: { tokens },
    layerWeights: Array.from({ length: config.num_hidden_layers }, (_, index) => layer(index)),
    head: {
      norm: { name: "model.norm.weight", shape: [hidden], group: "norm" },
      head: config.tie_word_embeddings ? tokens : { ...tokens, name: "lm_head.weight" },
    },
  };
}

function present(weight: Expression | undefined): Expression {
  if (!weight) throw new Error("llama: a weight is missing from its stage");
  return weight;
}

const builder =
  (config: LlamaConfig) =>
  (precision: Dtype): Model =>
    buildLlama(config, precision);

export const llama: Architecture = { modelType: "llama", config: llamaConfig.transform(builder) };

/** A Llama whose attention may have a window. */
export const mistral: Architecture = { modelType: "mistral", config: mistralConfig.transform(builder) };
