/**
 * What the rest of the program knows of a model: its weights by stage, and each stage's forward pass as expressions.
 * @module
 */
import type { ZodType } from "zod";
import type { Expression } from "../device/expression.ts";
import type { Dtype, Shape } from "../tensor/dtype.ts";

/** Kinds of tensors that may get coefficients of their own. */
export type Group = "attention" | "mlp" | "norm" | "embedding";

/** One weight: its name in the checkpoint and its place in the model; weights outside the layers have no layer. */
export interface Weight {
  readonly name: string;
  readonly shape: Shape;
  readonly group: Group;
  readonly layer?: number;
}

/** The weights that are on the device together, by role (`query`, `down`, ...). */
export type StageWeights = Readonly<Record<string, Weight>>;

/** The merged weights of a stage, by the same roles. */
export type StageTensors = Readonly<Record<string, Expression>>;

/** A batch of padded token sequences on the device. */
export interface TokenBatch {
  readonly sequences: number;
  readonly length: number;
  /** i32 [sequences * length] */
  readonly tokens: Expression;
  /** i32 [sequences * length] */
  readonly positions: Expression;
  /** f32 [sequences, length, length], 0 where a token (row) sees another (column), else -Infinity */
  readonly mask: Expression;
}

/** A decoder-only language model whose forward pass runs stage by stage. */
export interface Model {
  /** Values of config.json that decide the forward pass: models merge only where these are equal. */
  readonly identity: Readonly<Record<string, unknown>>;
  readonly layers: number;
  readonly vocabularySize: number;
  /** Width of the hidden states. */
  readonly hiddenSize: number;
  /** Longest sequence, in tokens. */
  readonly maxLength: number;
  /** Tokens that a token sees, itself included. */
  readonly window: number;
  /** Rotary periods, f32 [head width / 2], to be uploaded and handed to `layer`. */
  readonly periods: Float32Array;
  readonly embedding: StageWeights;
  readonly layerWeights: readonly StageWeights[];
  readonly head: StageWeights;
  /** Names of tensors that some checkpoints carry and no forward pass reads. */
  readonly ignorable: RegExp;
  /** Hidden states f32 [sequences * length, hidden]. */
  readonly embed: (weights: StageTensors, batch: TokenBatch) => Expression;
  /**
   * Hidden states after one layer: f32 [sequences * length, hidden], or [n, hidden] of the n rows of them that `reads`
   * names (i32 [n]), with the same bits. What no other token sees is then computed for these alone.
   */
  readonly layer: (
    weights: StageTensors,
    hidden: Expression,
    batch: TokenBatch,
    periods: Expression,
    reads?: Expression,
  ) => Expression;
  /** Logits f32 [n, vocabulary] of n hidden states. */
  readonly logits: (weights: StageTensors, hidden: Expression) => Expression;
}

/** A family of models: the `model_type` of its config.json, and a parser of the file that yields the model's builder. */
export interface Architecture {
  readonly modelType: string;
  /** Matrix products of the built model run in the given precision. */
  readonly config: ZodType<(precision: Dtype) => Model>;
}

/** Every stage in the order of the forward pass. */
export function stages(model: Model): readonly StageWeights[] {
  return [model.embedding, ...model.layerWeights, model.head];
}

/** Every weight of the checkpoint once, in the order of the forward pass; a tied head repeats none. */
export function allWeights(model: Model): readonly Weight[] {
  const byName = new Map<string, Weight>();
  for (const weight of stages(model).flatMap((stage) => Object.values(stage))) {
    if (!byName.has(weight.name)) byName.set(weight.name, weight);
  }
  return [...byName.values()];
}
