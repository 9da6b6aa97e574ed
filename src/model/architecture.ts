/**
 * What the rest of the program knows of a model: stages, each with its weights and its forward pass as expressions, and as
 * data what their names, groups and places are. Nothing outside `model/` knows what a stage computes.
 * @module
 */
import type { ZodType } from "zod";
import type { Expression } from "../device/expression.ts";
import type { Dtype, Shape } from "../tensor/dtype.ts";
import type { TokenBatch } from "./token-batch.ts";

/** Weights of one stack that share coefficients unless a search space divides them: attention, mlp, ... */
export interface TensorGroup {
  /** As recipes have it: `attention`, or where a model has several stacks, `encoder.attention`. */
  readonly name: string;
  /** What it is in any stack, as search spaces have it: `attention`. */
  readonly kind: string;
  readonly stack: string;
  /** Whether it has weights inside the layers. */
  readonly isLayered: boolean;
}

/** A group in a model, whose stack has so many layers. */
export interface ModelGroup extends TensorGroup {
  readonly layers: number;
}

/** One weight: its name in the checkpoint and its place in the model; weights outside the layers have no layer. */
export interface Weight {
  readonly name: string;
  readonly shape: Shape;
  /** Its kind within a stage, as its name in the checkpoint has it: `q_proj`, `input_layernorm`, `embed_tokens`, ... */
  readonly tensor: string;
  /** Name of its group. */
  readonly group: string;
  readonly layer?: number;
  /** Whether what it gives is added to the hidden states as it is, so that a factor of the weight is one of what it adds. */
  readonly isAdded?: boolean;
}

/** The weights that are on the device together, by role (`query`, `down`, ...). */
export type StageWeights = Readonly<Record<string, Weight>>;

/** The merged weights of a stage, by the same roles. */
export type StageTensors = Readonly<Record<string, Expression>>;

/** What one stage hands to the next of a batch, by name, such as f32 hidden states. */
export type State = Readonly<Record<string, Expression>>;

/** A part of the forward pass whose weights are on the device together. */
export interface Stage {
  readonly weights: StageWeights;
  /** Roles of the weights of which it reads the rows of its tokens alone. */
  readonly gathered?: readonly string[];
  /** Roles of weights that only products read, of which each row makes a column. */
  readonly multiplied?: readonly string[];
  /** A stack of layers, such as a decoder, and which of its layers the stage is; what lies before or behind them has none. */
  readonly place: { readonly stack: string; readonly layer?: number };
  /** What it leaves in its state where a batch remembers, to be given to it again with the next batch of the same sequences. */
  readonly remembers?: readonly string[];
  /**
   * The state of one batch behind the stage. The first stage is given an empty state; the last one leaves for each slice of the
   * batch's targets, in their order, log-probabilities f32 [targets] or the most likely tokens i32 [targets], or both (`answerNames`).
   */
  readonly forward: (weights: StageTensors, state: State, batch: TokenBatch) => State;
}

/** The weights whose names contain a text, as mergekit selects them: what coefficients they have, and in which slices. */
export interface Selector {
  readonly filter: string;
  readonly group: string;
  /** In every slice of a layer, or where weights outside the layers get their settings from: in the first or the last. */
  readonly slices: "every" | "first" | "last";
  /** In models that mergekit divides into modules: which it is in, and how the names of those weights begin. */
  readonly module?: { readonly name: string; readonly prefix: string };
}

/** Another name that a weight may have in a checkpoint, beside its own. */
export interface Alias {
  readonly name: string;
  /** The weight's own name. */
  readonly of: string;
  /** The field of config.json that makes the two one, where another value would part them. */
  readonly tiedBy?: string;
}

/** Above the first number of tokens, and up to the second. */
export type Spans = Readonly<Record<string, readonly [above: number, upTo: number]>>;

/** For models to which no length is special. */
export const everyLength: Spans = { every: [0, Infinity] };

/** The name of the span that a sequence of that length is in. */
export function spanOfLength(spans: Spans, length: number): string {
  const found = Object.entries(spans).find(([, [above, upTo]]) => length > above && length <= upTo);
  if (!found) throw new Error(`model: no span has ${length} tokens`);
  return found[0];
}

/** How a model with an encoder reads a row: its context there, and each continuation in the decoder, behind one token. */
export interface Encoding {
  /** What the decoder reads before the first token that it predicts. */
  readonly startToken: number;
  /** Buckets of distances, as a position that is seen less the one that sees it: in the encoder, and in the decoder. */
  readonly sourceBucket: (distance: number) => number;
  readonly targetBucket: (distance: number) => number;
}

/** A language model whose forward pass runs stage by stage. */
export interface Model {
  /** Values of config.json that decide the forward pass: models merge only where these are equal. */
  readonly identity: Readonly<Record<string, unknown>>;
  /** Every weight is in one; stacks in the order of the forward pass. */
  readonly groups: readonly ModelGroup[];
  /** Models without one read context and continuation as one sequence. */
  readonly encoding?: Encoding;
  readonly vocabularySize: number;
  /** Width of the hidden states. */
  readonly hiddenSize: number;
  /** Longest sequence, in tokens; with an encoder the longest that it reads. */
  readonly maxLength: number;
  /** Tokens that a token sees, itself included, by the name of the mask that lets it. */
  readonly windows: Readonly<Record<string, number>>;
  /** Lengths of sequences whose positions are told apart, by name; each length is in one. */
  readonly spans: Spans;
  /** Whether a text that grows into another span is read anew. Where not, tokens stay as they were turned, and new ones turn as that span says. */
  readonly rereadsGrownTexts?: boolean;
  /** What stages read beside weights, f32 vectors by name, to be uploaded once. */
  readonly constants: Readonly<Record<string, Float32Array>>;
  /** In the order of the forward pass. */
  readonly stages: readonly Stage[];
  /** Names of tensors that some checkpoints carry and no forward pass reads. */
  readonly ignorable: RegExp;
  /** Tensors that checkpoints may hold and no forward pass reads, since each is to hold the values of a weight. */
  readonly aliases: readonly Alias[];
  /** Of every weight; the first whose filter is in its name has it. None where mergekit does not know such models. */
  readonly selectors: readonly Selector[];
  /**
   * The model of layers that are each like one of these, in that order. Equal layers share their forward pass. Absent where layers
   * are not of one kind, or what they add to the hidden states is not to be scaled by a factor of a weight.
   */
  readonly restacked?: (layers: readonly number[]) => RestackedModel;
}

/** A model of other layers than a config.json says. */
export interface RestackedModel extends Model {
  /** Of each layer, in the words of config.json. */
  readonly layerTypes: readonly string[];
}

/** Whether a checkpoint has a tensor of that name. */
export type HasTensor = (name: string) => boolean;

/** A family of models: the `model_type` of its config.json, and a parser of the file that yields the model's builder. */
export interface Architecture {
  readonly modelType: string;
  readonly groups: readonly TensorGroup[];
  /** Builds the model whose matrix products run in the given precision; what the file says may depend on which tensors there are. */
  readonly config: ZodType<(precision: Dtype, has?: HasTensor) => Model>;
}

/** Every weight of the checkpoint once, in the order of the forward pass; a tied head repeats none. */
export function allWeights({ stages }: Pick<Model, "stages">): readonly Weight[] {
  const byName = new Map<string, Weight>();
  for (const weight of stages.flatMap(({ weights }) => Object.values(weights))) {
    if (!byName.has(weight.name)) byName.set(weight.name, weight);
  }
  return [...byName.values()];
}
