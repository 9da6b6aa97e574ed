/** A decoder-only model as stages: the embedding, its layers, and the head behind the last norm, which may be the embedding. */
import type { ZodType } from "zod";
import { gatherRows, scale, type Expression } from "../device/expression.ts";
import { softCap } from "../device/layers.ts";
import type { Dtype } from "../tensor/dtype.ts";
import { fromFloat32, toFloat32 } from "../tensor/half.ts";
import { answers } from "./answers.ts";
import type { Architecture, Model, Stage } from "./architecture.ts";
import type { Decoder } from "./decoder-config.ts";
import { layerForward, maskOf } from "./decoder-layer.ts";
import { rotationOf } from "./decoder-rotation.ts";
import { decoderParts } from "./decoder-parts.ts";
import { layerTypeOf } from "./decoder-windows.ts";
import {
  decoderAliases,
  decoderGroups,
  decoderIgnorable,
  decoderSelectors,
  decoderWeights,
} from "./decoder-weights.ts";
import { named } from "./stage-parts.ts";

const place = { stack: "decoder" };

/** A family of decoders: `config` reads a config.json of that `model_type`, and nothing else of the family is known beyond. */
export function decoderArchitecture(modelType: string, config: ZodType<Decoder>): Architecture {
  const builder = config.transform(
    (decoder) => (precision: Dtype) => buildDecoder(decoder, forwardsOf(decoder, precision)),
  );
  return { modelType, groups: decoderGroups, config: builder };
}

/** The forward passes of the stages of a decoder, whatever number of layers it has; equal layers have the same one. */
interface Forwards {
  readonly embedding: Stage["forward"];
  readonly layer: (place: { readonly window: number; readonly isLast: boolean }) => Stage["forward"];
  readonly head: Stage["forward"];
}

function buildDecoder(decoder: Decoder, forwards: Forwards): Model {
  return {
    identity: identityOf(decoder),
    groups: decoderGroups.map((group) => ({ ...group, layers: decoder.num_hidden_layers })),
    vocabularySize: decoder.vocab_size,
    hiddenSize: decoder.hidden_size,
    maxLength: decoder.max_position_embeddings,
    windows: Object.fromEntries(decoder.windows.map((window) => [maskOf(window), window])),
    ...rotationOf(decoder),
    stages: stagesOf(decoder, forwards),
    ignorable: decoderIgnorable,
    aliases: decoderAliases(decoder),
    selectors: decoderSelectors,
    ...(!decoder.has_norms_behind && {
      restacked: (layers) => {
        const windows = layers.map((layer) => decoder.windows[layer] ?? Infinity);
        const layerTypes = windows.map(layerTypeOf);
        return { ...buildDecoder({ ...decoder, num_hidden_layers: layers.length, windows }, forwards), layerTypes };
      },
    }),
  };
}

function forwardsOf(decoder: Decoder, precision: Dtype): Forwards {
  const parts = decoderParts(decoder, precision);
  const cap = decoder.final_logit_softcapping;
  const capped = (logits: Expression): Expression => (cap === null ? logits : softCap(logits, cap));
  const factor = rounded(decoder.embedding_factor, precision);
  const scaled = (hidden: Expression): Expression => (factor === 1 ? hidden : scale(hidden, factor));
  const layers = new Map<string, Stage["forward"]>();
  return {
    embedding: (weights, _, { tokens }) => ({ hidden: scaled(gatherRows(named(weights, "tokens"), tokens)) }),
    layer: (place) => {
      const key = JSON.stringify([maskOf(place.window), place.isLast]);
      const forward = layers.get(key) ?? layerForward(decoder, parts, place);
      layers.set(key, forward);
      return forward;
    },
    head: (weights, state, { targets }) => {
      const logitsOf = (rows: Expression): Expression => {
        const hidden = parts.norm(weights, "norm", gatherRows(named(state, "hidden"), rows));
        return capped(parts.project(weights, "head", hidden));
      };
      return answers(targets, logitsOf);
    },
  };
}

function stagesOf(decoder: Decoder, forwards: Forwards): Stage[] {
  const { embedding, layers, head } = decoderWeights(decoder);
  return [
    { weights: embedding, gathered: ["tokens"], place, forward: forwards.embedding },
    ...layers.map((weights, layer) => {
      const window = decoder.windows[layer] ?? Infinity;
      const forward = forwards.layer({ window, isLast: layer === layers.length - 1 });
      return { weights, place: { ...place, layer }, remembers: ["keys", "values"], forward };
    }),
    { weights: head, multiplied: ["head"], place, forward: forwards.head },
  ];
}

/** transformers rounds what the embedding is multiplied by to the dtype that it computes in. */
function rounded(factor: number, precision: Dtype): number {
  const [value = factor] = toFloat32(fromFloat32(Float32Array.of(factor), precision), precision);
  return value;
}

/** All that a decoder is but its longest context, which may differ: fine-tunes often name another. */
function identityOf(decoder: Decoder): Model["identity"] {
  const { max_position_embeddings: _longest, windows, periods, long_periods: long, ...others } = decoder;
  const [window = Infinity] = windows;
  const byLayer = windows.every((other) => other === window) ? window : windows;
  return {
    ...others,
    sliding_window: byLayer === Infinity ? null : byLayer,
    "rotary periods": [...periods],
    ...(long && { [`rotary periods above ${long.above} tokens`]: [...long.periods] }),
  };
}
