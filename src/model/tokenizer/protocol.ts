/** What the tokenizers' process is asked and answers, in order. */
import type { ChatTurn } from "./chat/chat-template.ts";
import type { TextRow, TokenizerOptions, TokenRow } from "./token-encoder.ts";

/** Reads the tokenizer of a folder, and keeps it under a number to encode with. */
export interface ReadRequest {
  readonly kind: "read";
  readonly folder: string;
  readonly options: TokenizerOptions;
  readonly keepAs?: number;
}

/** Compares the tokenizer of a folder with that of a base. */
export interface CompareRequest {
  readonly kind: "compare";
  readonly base: string;
  readonly folder: string;
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
export type Request = ReadRequest | CompareRequest | WordsRequest | RenderRequest;

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
export interface TokenizerComparison {
  /** Why models cannot be merged: an id or a piece of text means something else. */
  readonly faults: readonly string[];
  /** What the tokenizer of the base decides for all models. */
  readonly notices: readonly string[];
}

export type Answer =
  /** The first message, when questions can be taken. */
  | { readonly kind: "ready" }
  | { readonly kind: "facts"; readonly facts: TokenizerFacts }
  | { readonly kind: "comparison"; readonly comparison: TokenizerComparison }
  | { readonly kind: "row"; readonly row: TokenRow }
  | { readonly kind: "ids"; readonly ids: Int32Array }
  | { readonly kind: "text"; readonly text: string }
  /** A whole sentence for people. */
  | { readonly kind: "refusal"; readonly sentence: string }
  /** Why a row cannot be encoded or a chat rendered, in words of whoever wrote the tokenizer. */
  | { readonly kind: "failure"; readonly reason: string };
