/** What the tokenizers' process is asked and answers, in order. */
import type { ChatTurn } from "./chat/chat-template.ts";
import type { TextRow, TokenizerOptions, TokenRow } from "./token-encoder.ts";

/** The tokenizer of a folder whose model has so many rows of embeddings. */
export interface ModelTokens {
  readonly folder: string;
  readonly rows: number;
}

/** The tokenizer of a folder, and behind its tokens the added ones of other models that have rows there. */
export interface TokenizerSource {
  readonly folder: string;
  readonly more?: readonly ModelTokens[];
}

/** The tokenizer that models are compared with: that of a merge, which has so many rows. */
export interface ReferenceTokenizer extends TokenizerSource {
  readonly rows: number;
  /** As sentences name its model. */
  readonly called: string;
}

/** Reads a tokenizer, and keeps it under a number to encode with. */
export interface ReadRequest extends TokenizerSource {
  readonly kind: "read";
  readonly options: TokenizerOptions;
  readonly keepAs?: number;
}

/** Compares the tokenizer of a model with another. */
export interface CompareRequest extends ModelTokens {
  readonly kind: "compare";
  readonly reference: ReferenceTokenizer;
}

/** Asks for the files of a tokenizer that are not those of its folder. */
export interface WriteRequest extends TokenizerSource {
  readonly kind: "write";
}

export interface EncodeRequest {
  readonly kind: "encode";
  readonly tokenizer: number;
  readonly row: TextRow;
}

/** Renders a chat with the template of a tokenizer's folder, up to where the assistant's turn begins. */
export interface RenderRequest {
  readonly kind: "render";
  readonly tokenizer: number;
  readonly chat: readonly ChatTurn[];
}

/** The token ids of a text that goes on. */
export interface PromptRequest {
  readonly kind: "prompt";
  readonly tokenizer: number;
  readonly text: string;
}

/** The text of token ids. */
export interface DecodeRequest {
  readonly kind: "decode";
  readonly tokenizer: number;
  readonly ids: readonly number[];
}

export type WordsRequest = EncodeRequest | PromptRequest | DecodeRequest;

/** Has one answer each. */
export type Request = ReadRequest | CompareRequest | WriteRequest | WordsRequest | RenderRequest;

/** Drops a tokenizer; has no answer. */
export interface Farewell {
  readonly kind: "forget";
  readonly tokenizer: number;
}

/** What is known of a tokenizer once it is read. */
export interface TokenizerFacts {
  /** Hash of everything in the files that decides ids; tokenizers of equal digest are interchangeable. */
  readonly digest: string;
  /** One more than the largest id. */
  readonly vocabularySize: number;
  /** One more than the largest id of a token that is not an added one, which any text may contain. */
  readonly textVocabularySize: number;
  /** Why ids may not be those of lm_eval, in a clause. */
  readonly doubt?: string | undefined;
}

/** What differs, a clause for people each; tokenizers that give the same ids have nothing. */
export interface TokenizerDifferences {
  /** Why models cannot be merged: a piece of text means something else. */
  readonly faults: readonly string[];
  /** What the tokenizer of the reference decides for all models. */
  readonly notices: readonly string[];
  /** Added tokens that the model has and the reference has not, in the order of their ids. */
  readonly leftOut: readonly string[];
  /** Added tokens that the reference has and the model has not. */
  readonly lacking: readonly string[];
  /** Tokens that both have under other ids. */
  readonly moved: readonly string[];
}

export interface TokenizerComparison extends TokenizerDifferences {
  /**
   * For each row of the reference's embeddings the row of the model that is of the same token, or -1. Rows of no token, by
   * which embeddings are padded, have their places.
   */
  readonly ids: Int32Array;
}

export type Answer =
  /** The first message, when questions can be taken. */
  | { readonly kind: "ready" }
  | { readonly kind: "facts"; readonly facts: TokenizerFacts }
  | { readonly kind: "comparison"; readonly comparison: TokenizerComparison }
  /** Texts by the names of their files. */
  | { readonly kind: "files"; readonly files: ReadonlyMap<string, string> }
  | { readonly kind: "row"; readonly row: TokenRow }
  | { readonly kind: "ids"; readonly ids: Int32Array }
  | { readonly kind: "text"; readonly text: string }
  /** A whole sentence for people. */
  | { readonly kind: "refusal"; readonly sentence: string }
  /** Why a row cannot be encoded or a chat rendered, in words of whoever wrote the tokenizer. */
  | { readonly kind: "failure"; readonly reason: string };
