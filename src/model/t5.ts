/**
 * T5 and what is built like it: 1.1, FLAN-T5 (arXiv:1910.10683, 2210.11416). An encoder and a decoder, two stacks that share an
 * embedding; distances between tokens decide biases of attention scores, from one table a stack.
 */
import { gatherRows, scale, type Expression } from "../device/expression.ts";
import type { Dtype } from "../tensor/dtype.ts";
import { answers } from "./answers.ts";
import { everyLength, type Architecture, type HasTensor, type Model, type Stage } from "./architecture.ts";
import { named } from "./stage-parts.ts";
import { t5Config, type T5 } from "./t5-config.ts";
import { bucketBefore, bucketOfEither } from "./t5-distances.ts";
import { decoderLayer, decoderRemembers, encoderLayer } from "./t5-layer.ts";
import { sourceOf, t5Parts } from "./t5-parts.ts";
import { isHeadBesideEmbedding, t5Aliases, t5Groups, t5Ignorable, t5Selectors, t5Weights } from "./t5-weights.ts";

export const t5: Architecture = {
  modelType: "t5",
  groups: t5Groups(true),
  config: t5Config.transform((fields) => (precision: Dtype, has?: HasTensor) => buildT5(fields, precision, has)),
};

/**
 * The head is the embedding where its output is scaled. Where it is not, the file decides, as in transformers 5: a config.json
 * that this has written says that it is in both cases. A head alone is the embedding.
 */
function buildT5(fields: T5, precision: Dtype, has: HasTensor = () => true): Model {
  const hasHead = !fields.scale_decoder_outputs && isHeadBesideEmbedding(has);
  const { n_positions: maxLength, ...deciding } = fields;
  const dealt = {
    buckets: fields.relative_attention_num_buckets,
    farthest: fields.relative_attention_max_distance,
  };
  return {
    identity: { ...deciding, "head of its own": hasHead },
    groups: t5Groups(hasHead).map((group) => ({
      ...group,
      layers: group.stack === "encoder" ? fields.num_layers : fields.num_decoder_layers,
    })),
    encoding: {
      startToken: fields.decoder_start_token_id,
      sourceBucket: (distance) => bucketOfEither(dealt, distance),
      targetBucket: (distance) => bucketBefore(dealt, distance),
    },
    vocabularySize: fields.vocab_size,
    hiddenSize: fields.d_model,
    maxLength,
    windows: { causal: Infinity },
    spans: everyLength,
    constants: {},
    stages: stagesOf(fields, precision, hasHead),
    ignorable: t5Ignorable,
    aliases: t5Aliases(hasHead),
    selectors: t5Selectors(fields, hasHead),
  };
}

function stagesOf(fields: T5, precision: Dtype, hasHead: boolean): Stage[] {
  const weights = t5Weights(fields, hasHead);
  const parts = t5Parts(fields, precision);
  const [encoder, decoder] = [{ stack: "encoder" }, { stack: "decoder" }];
  const factor = fields.scale_decoder_outputs ? fields.d_model ** -0.5 : 1;
  return [
    {
      weights: weights.embedding,
      gathered: ["tokens"],
      place: encoder,
      forward: (own, _, batch) => {
        const { read } = sourceOf(batch);
        return read ? { hidden: gatherRows(named(own, "tokens"), read.tokens) } : {};
      },
    },
    ...weights.encoder.map((own, layer) => ({
      weights: own,
      place: { ...encoder, layer },
      forward: encoderLayer(fields, parts),
    })),
    {
      weights: weights.between,
      gathered: ["tokens"],
      place: decoder,
      forward: (own, { hidden: encoded }, { tokens }) => ({
        hidden: gatherRows(named(own, "tokens"), tokens),
        ...(encoded && { memory: parts.norm(own, "norm", encoded) }),
      }),
    },
    ...weights.decoder.map((own, layer) => ({
      weights: own,
      place: { ...decoder, layer },
      remembers: decoderRemembers,
      forward: decoderLayer(fields, parts, layer === weights.decoder.length - 1),
    })),
    {
      weights: weights.head,
      multiplied: ["head"],
      place: decoder,
      forward: (own, state, { targets }) => {
        const logitsOf = (rows: Expression): Expression => {
          const hidden = parts.norm(own, "norm", gatherRows(named(state, "hidden"), rows));
          return parts.project(own, "head", factor === 1 ? hidden : scale(hidden, factor));
        };
        return answers(targets, logitsOf);
      },
    },
  ];
}
