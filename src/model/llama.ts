/** Llama and Mistral: RMSNorm, rotary positions, grouped-query attention, SwiGLU; tied or untied head. */
import { add, cast, gatherRows, logProbability, mul, reshape, rope, silu } from "../device/expression.ts";
import type { Expression } from "../device/expression.ts";
import { attention, linear, rmsNorm } from "../device/layers.ts";
import type { Dtype } from "../tensor/dtype.ts";
import type { Architecture, Model, Stage, StageTensors, TokenBatch } from "./architecture.ts";
import { llamaConfig, mistralConfig, type LlamaConfig } from "./llama-config.ts";
import { llamaGroups, llamaIgnorable, llamaSelectors, llamaWeights } from "./llama-weights.ts";

const STACK = "decoder";

function buildLlama(config: LlamaConfig, precision: Dtype): Model {
  return {
    identity: identityOf(config),
    layers: config.num_hidden_layers,
    vocabularySize: config.vocab_size,
    hiddenSize: config.hidden_size,
    maxLength: config.max_position_embeddings,
    windows: { causal: config.sliding_window ?? Infinity },
    constants: { periods: config.periods },
    stages: stagesOf(config, precision),
    ignorable: llamaIgnorable,
    selectors: llamaSelectors,
  };
}

/** Matrix products run in `precision`; norms, softmax and everything between are f32. */
function stagesOf(config: LlamaConfig, precision: Dtype): Stage[] {
  const { num_attention_heads: heads, kvHeads, width, rms_norm_eps: epsilon } = config;
  const { embedding, layers, head } = llamaWeights(config);
  const toPrecision = converting(precision);
  const toF32 = converting("f32");
  const project = (x: Expression, weight: Expression): Expression => linear(x, toPrecision(weight));
  const norm = (x: Expression, weight: Expression): Expression => rmsNorm(x, toF32(weight), epsilon);

  /** Before the output projection, f32 [sequences * length, heads * width]. */
  const attend = (weights: StageTensors, x: Expression, batch: TokenBatch): Expression => {
    const { sequences, length, positions } = batch;
    const periods = named(batch.constants, "periods");
    const split = (y: Expression, parts: number): Expression => reshape(y, [sequences * length, parts, width]);
    const batched = (y: Expression, parts: number): Expression => reshape(y, [sequences, length, parts, width]);
    const query = batched(rope(split(project(x, named(weights, "query")), heads), positions, periods), heads);
    const key = batched(rope(split(project(x, named(weights, "key")), kvHeads), positions, periods), kvHeads);
    const value = batched(project(x, named(weights, "value")), kvHeads);
    return attention({ query, key, value, mask: named(batch.masks, "causal") }, width ** -0.5);
  };
  const feedForward = (weights: StageTensors, x: Expression): Expression => {
    const gate = silu(project(x, named(weights, "gate")));
    return project(mul(gate, project(x, named(weights, "up"))), named(weights, "down"));
  };
  /** Behind the attention of the last layer no token sees another, so what follows is computed for those that are read. */
  const layer =
    (isLast: boolean): Stage["forward"] =>
    (weights, state, batch) => {
      const hidden = named(state, "hidden");
      const read = (x: Expression): Expression => (isLast ? gatherRows(x, batch.reads) : x);
      const seen = attend(weights, norm(hidden, named(weights, "attentionNorm")), batch);
      const attended = add(read(hidden), project(read(seen), named(weights, "output")));
      return { hidden: add(attended, feedForward(weights, norm(attended, named(weights, "mlpNorm")))) };
    };

  return [
    {
      weights: embedding,
      place: { stack: STACK },
      forward: (weights, _, { tokens }) => ({ hidden: gatherRows(named(weights, "tokens"), tokens) }),
    },
    ...layers.map((own, index) => ({
      weights: own,
      place: { stack: STACK, layer: index },
      forward: layer(index === layers.length - 1),
    })),
    {
      weights: head,
      place: { stack: STACK },
      forward: (weights, state, { targets }) => {
        const logProbabilities = targets.map(({ rows, tokens }) => {
          const hidden = norm(gatherRows(named(state, "hidden"), rows), named(weights, "norm"));
          return logProbability(project(hidden, named(weights, "head")), tokens);
        });
        return Object.fromEntries(logProbabilities.map((slice, i) => [`targets ${i}`, slice]));
      },
    },
  ];
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

/** Converts a weight once, however many batches it meets. */
function converting(dtype: Dtype): (weight: Expression) => Expression {
  const converted = new WeakMap<Expression, Expression>();
  return (weight) => {
    const known = converted.get(weight) ?? cast(weight, dtype);
    converted.set(weight, known);
    return known;
  };
}

function named(expressions: Readonly<Record<string, Expression>>, name: string): Expression {
  const found = expressions[name];
  if (!found) throw new Error(`llama: ${name} is missing`);
  return found;
}

const builder =
  (config: LlamaConfig) =>
  (precision: Dtype): Model =>
    buildLlama(config, precision);

export const llama: Architecture = {
  modelType: "llama",
  groups: llamaGroups,
  config: llamaConfig.transform(builder),
};

/** A Llama whose attention may have a window. */
export const mistral: Architecture = {
  modelType: "mistral",
  groups: llamaGroups,
  config: mistralConfig.transform(builder),
};
