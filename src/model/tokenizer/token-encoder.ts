import { stripEnd } from "../../files/white-space.ts";
import { checkSupported } from "./supported.ts";
import { type LoadedTokenizer, loadedTokenizer, type PrefixToken } from "./loaded-tokenizer.ts";
import type { TokenizerFiles } from "./tokenizer-file.ts";
import { TokenizerPipeline } from "./tokenizer-pipeline.ts";
import { checkIds, type IdRange } from "./vocabulary.ts";

export interface TokenizerOptions {
  /**
   * Whether texts begin with the beginning-of-sequence token, lm_eval's `add_bos_token`. Left out, the post-processor of
   * tokenizer.json decides, as in lm_eval since 0.4.9.2; `add_bos_token` of tokenizer_config.json has no say there.
   */
  readonly addBos?: boolean;
  /** Whether an encoder reads contexts, so that continuations are tokenised without them; false unless given. */
  readonly isApart?: boolean;
}

/** A text and what may follow it. */
export interface TextRow {
  readonly context: string;
  readonly continuations: readonly string[];
}

/** The token ids of a row; the context is the same for all continuations. */
export interface TokenRow {
  readonly context: Int32Array;
  readonly continuations: readonly Int32Array[];
}

/** Tokens of a text: bytes of characters that compatibility forms spell out make some fifty of one character. */
const MAX_TOKENS = { each: 64, besides: 1000 };

/**
 * Text to token ids as the `hf` model of lm_eval does it, special tokens included. It runs
 * what the files say, which may take any time and memory: only the tokenizer's own process should.
 */
export class TokenEncoder {
  readonly range: IdRange;
  readonly loaded: LoadedTokenizer;
  readonly #pipeline: TokenizerPipeline;
  readonly #addBos: boolean | undefined;
  readonly #prefix: PrefixToken | undefined;
  readonly #isApart: boolean;
  /** Context last encoded: the continuations of a row come one after another. */
  #last: { readonly context: string; readonly ids: Int32Array } | undefined;

  /** Throws an Error that says what the files have that cannot be used. */
  constructor(files: TokenizerFiles, options: TokenizerOptions = {}) {
    checkIds(files.file);
    this.loaded = loadedTokenizer(files);
    const { file, prefix } = this.loaded;
    this.range = checkIds(file);
    checkSupported(file);
    this.#pipeline = new TokenizerPipeline(this.loaded);
    this.#addBos = options.addBos;
    this.#prefix = prefix;
    this.#isApart = options.isApart ?? false;
  }

  get hasBos(): boolean {
    return this.#prefix?.isBos ?? false;
  }

  /** Token ids of a text; `special: false` leaves out what the post-processor and `addBos` add. */
  encode(text: string, { special = true }: { readonly special?: boolean } = {}): Int32Array {
    // A text that already begins with the prefix token gets no second one (lm_eval's `tok_encode`).
    const added = special && !(this.#prefix && text.startsWith(this.#prefix.text));
    const ids = this.#pipeline.encode(text, { special: added && this.#addBos === undefined });
    checkCount(text, ids);
    return Int32Array.from(added && this.#addBos && this.#prefix ? [this.#prefix.id, ...ids] : ids);
  }

  /** Every continuation of a row behind its context. */
  encodeRow({ context, continuations }: TextRow): TokenRow {
    const pairs = continuations.map((continuation) => this.encodePair(context, continuation));
    return {
      context: pairs[0]?.context ?? new Int32Array(),
      // Copies, since a part of an array would be sent to another process as a whole.
      continuations: pairs.map((pair) => pair.continuation.slice()),
    };
  }

  /**
   * Splits the tokens of context + continuation in two (lm_eval's `_encode_pair`). White space at the end of the context
   * goes to the continuation. The cut is at the length of the encoded context even where a token crosses the seam. Where
   * an encoder reads the context, it has its special tokens, and the continuation none. An empty context is the prefix token.
   */
  encodePair(context: string, continuation: string): { context: Int32Array; continuation: Int32Array } {
    if (context === "") return this.#encodeAlone(continuation);
    const kept = stripEnd(context);
    if (this.#last?.context !== kept) this.#last = { context: kept, ids: this.encode(kept) };
    const { ids } = this.#last;
    const behind = context.slice(kept.length) + continuation;
    if (this.#isApart) return { context: ids, continuation: this.encode(behind, { special: false }) };
    return { context: ids, continuation: this.encode(kept + behind).subarray(ids.length) };
  }

  #encodeAlone(continuation: string): { context: Int32Array; continuation: Int32Array } {
    const ids = this.encode(continuation, { special: false });
    if (!this.#prefix) throw new Error("an empty context needs a tokenizer with a bos_token or an eos_token");
    if (ids[0] === this.#prefix.id) return { context: ids.slice(0, 1), continuation: ids.subarray(1) };
    return { context: Int32Array.of(this.#prefix.id), continuation: ids };
  }
}

function checkCount(text: string, { length }: readonly number[]): void {
  const most = MAX_TOKENS.each * text.length + MAX_TOKENS.besides;
  if (length > most) throw new Error(`expected at most ${most} tokens, found ${length}`);
}
