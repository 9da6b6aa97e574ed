/** What a forward pass reads beside weights: token sequences on the device, and who sees whom. */
import type { Expression } from "../device/expression.ts";

/** Targets whose logits are held together. */
export interface TargetSlice {
  /** i32 [targets]: which of the batch's `reads` predicts each. */
  readonly rows: Expression;
  /** i32 [targets]; left out where only the most likely ones are asked for. */
  readonly tokens?: Expression;
  /** Whether these are asked for beside the targets. */
  readonly wantsMostLikely?: boolean;
}

/** What the encoder reads for each sequence of a batch, padded, and how far apart tokens are that see each other. */
export interface SourceBatch {
  readonly length: number;
  /** Left out of a batch that goes on with others, which were read with theirs. */
  readonly read?: {
    /** i32 [sequences * length] */
    readonly tokens: Expression;
    /** f32 [sequences, length, length]: 0 where a token (row) of the source sees another, else -Infinity. */
    readonly mask: Expression;
    /** Buckets of distances from a token (row) to another, i32 [length * length], in every sequence. */
    readonly distances: Expression;
  };
  /** f32 [sequences, length of the batch, length]: 0 where a token of the batch sees one of the source, else -Infinity. */
  readonly seen: Expression;
  /** Buckets of the distances within the batch's sequences, as many as a mask of the batch has elements, in its order, i32. */
  readonly targetDistances: Expression;
}

/** Where tokens, which stand one behind the other without most of their padding, are in the sequences of attention. */
export interface Placing {
  /** i32 [sequences * length]: the token at each place; at a place that none has, one that nothing is read of. */
  readonly tokenAt: Expression;
  /** i32 [tokens]: the place of each; no two have the same. */
  readonly placeOf: Expression;
}

/** Tokens of sequences, at the places that each has. */
export interface TokenRows {
  readonly sequences: number;
  /** Places of each sequence. */
  readonly length: number;
  /** Absent where each place has a token, in their order. */
  readonly placing?: Placing;
  /** i32 [tokens], by the names of the model's spans: 0 in sequences whose lengths are not in it. */
  readonly positions: Readonly<Record<string, Expression>>;
}

/** Those tokens of a batch that predict a target. */
export interface ReadRows extends TokenRows {
  /** i32 [these]: which of the batch's they are. */
  readonly tokens: Expression;
  /** i32 [sequences * length]: the place in the batch, hence the row of its masks, of each place. */
  readonly places: Expression;
}

/** A batch of token sequences on the device, of equal lengths with their padding. */
export interface TokenBatch extends TokenRows {
  /** i32 [tokens] */
  readonly tokens: Expression;
  /**
   * f32 [sequences, length, length], by the names of the model's windows: 0 where a token (row) sees another, else -Infinity.
   * Of a batch that goes on with others, columns for the tokens of those stand in front.
   */
  readonly masks: Readonly<Record<string, Expression>>;
  /** What an encoder reads; only models with one have it. */
  readonly source?: SourceBatch;
  /** The model's constants. */
  readonly constants: Readonly<Record<string, Expression>>;
  /** Where no token sees another any more, these are enough; all where there are none. */
  readonly reads?: ReadRows;
  readonly targets: readonly TargetSlice[];
  /**
   * Whether tokens follow in batches of their own: a layer then leaves the keys and values of all tokens so far in its state,
   * f32 [sequences, heads, tokens, width].
   */
  readonly remembers?: boolean;
}
