import { join } from "node:path";
import { UserError } from "../../errors.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import {
  askAbout,
  explainReading,
  type KeptSource,
  PATIENCE,
  readTokenizer,
  unanswered,
  tokenizerFolders,
  tokenizerSource,
} from "./ask-tokenizer.ts";
import type { ChatTurn } from "./chat/chat-template.ts";
import type {
  Answer,
  ModelTokens,
  ReferenceTokenizer,
  Request,
  TokenizerComparison,
  TokenizerFacts,
  TokenizerSource,
} from "./protocol.ts";
import type { TextRow, TokenizerOptions, TokenRow } from "./token-encoder.ts";
import { EndedByOthers, type TokenizerChild } from "./tokenizer-child.ts";
import { TOKENIZER_FILE } from "./tokenizer-file.ts";

export type { ChatTurn } from "./chat/chat-template.ts";
export type { ReferenceTokenizer, TokenizerComparison, TokenizerFacts, TokenizerSource } from "./protocol.ts";
export type { TextRow, TokenizerOptions, TokenRow } from "./token-encoder.ts";

/** Numbers of tokenizers in their process. */
let count = 0;

/**
 * A model's tokenizer: text to token ids as the `hf` model of lm_eval does it. All of them run in one other process, which
 * holds the vocabularies and is ended when one takes too long or too much memory, and with this process.
 */
export class Tokenizer implements AsyncDisposable, TokenizerFacts {
  readonly digest: string;
  readonly vocabularySize: number;
  readonly textVocabularySize: number;
  readonly doubt: string | undefined;
  readonly #source: KeptSource;
  #child: TokenizerChild;
  #reopening: Promise<void> | undefined;

  private constructor(source: KeptSource, facts: TokenizerFacts, child: TokenizerChild) {
    this.digest = facts.digest;
    this.vocabularySize = facts.vocabularySize;
    this.textVocabularySize = facts.textVocabularySize;
    this.doubt = facts.doubt;
    this.#source = source;
    this.#child = child;
  }

  /**
   * Reads tokenizer.json and tokenizer_config.json of a model folder, or of several that make one tokenizer; a UserError if
   * they cannot be used. Rejects with the reason of an aborted signal.
   */
  static async load(
    from: string | TokenizerSource,
    options: TokenizerOptions = {},
    signal?: AbortSignal,
  ): Promise<Tokenizer> {
    const source = { ...tokenizerSource(from), options, keepAs: count++ };
    const { facts, child } = await readTokenizer(source, signal);
    return new Tokenizer(source, facts, child);
  }

  /** What a tokenizer is, for a comparison. */
  static async describe(from: string | TokenizerSource, signal?: AbortSignal): Promise<TokenizerFacts> {
    return (await readTokenizer({ ...tokenizerSource(from), options: {} }, signal)).facts;
  }

  /** What the tokenizer of a model has otherwise than another; a UserError if either cannot be used. */
  static async compare(
    reference: ReferenceTokenizer,
    model: ModelTokens,
    signal?: AbortSignal,
  ): Promise<TokenizerComparison> {
    const folders = [...tokenizerFolders(reference), model.folder];
    const { answer } = await askAbout({}, { kind: "compare", reference, ...model }, folders, signal);
    if (answer.kind === "comparison") return answer.comparison;
    throw unanswered(answer, explainReading(model.folder));
  }

  /** Texts of the files of a tokenizer that are not those of its first folder, by name. */
  static async write(source: TokenizerSource, signal?: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const { answer } = await askAbout({}, { kind: "write", ...source }, tokenizerFolders(source), signal);
    if (answer.kind === "files") return answer.files;
    throw unanswered(answer, explainReading(source.folder));
  }

  /**
   * Token ids of rows, in their order. A UserError names the first text that the tokenizer cannot manage; rejects with the
   * reason of an aborted signal.
   */
  async encode(rows: readonly TextRow[], signal?: AbortSignal): Promise<TokenRow[]> {
    return this.#untilAborted(rows, (row) => this.#again(() => this.#encode(row)), signal);
  }

  /**
   * Chats as texts, in their order, up to where the assistant's turn begins: by the chat template of the folder, as lm_eval's
   * `--apply_chat_template` renders them. A UserError names the first chat that the template cannot manage, or says that
   * there is no template; rejects with the reason of an aborted signal.
   */
  async renderChats(chats: readonly (readonly ChatTurn[])[], signal?: AbortSignal): Promise<string[]> {
    return this.#untilAborted(chats, (chat) => this.#again(() => this.#render(chat)), signal);
  }

  /** Token ids of texts that are to go on, in their order: as `encode` has those of a context, white space at the end included. */
  async prompts(texts: readonly string[], signal?: AbortSignal): Promise<Int32Array[]> {
    return this.#untilAborted(texts, (text) => this.#again(() => this.#prompt(text)), signal);
  }

  /** Texts of token ids, in their order, without special tokens, as transformers decodes them. */
  async decode(ids: readonly (readonly number[])[], signal?: AbortSignal): Promise<string[]> {
    return this.#untilAborted(ids, (own) => this.#again(() => this.#decode(own)), signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.forget(this.#source.keepAs);
  }

  async #untilAborted<T, R>(given: readonly T[], each: (one: T) => Promise<R>, signal?: AbortSignal): Promise<R[]> {
    signal?.throwIfAborted();
    const onAbort = (): void => this.#child.stop(this.#source, signal?.reason);
    signal?.addEventListener("abort", onAbort);
    try {
      return await Promise.all(given.map(each));
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** What the process is asked, once more where it ended because of somebody else. */
  async #again<R>(ask: () => Promise<R>): Promise<R> {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof EndedByOthers)) throw error;
    }
    // Many rows find this out at once.
    this.#reopening ??= this.#reopen().finally(() => (this.#reopening = undefined));
    await this.#reopening;
    return ask();
  }

  async #encode({ context, continuations }: TextRow): Promise<TokenRow> {
    const explain = this.#explainText(context);
    const characters = continuations.reduce((sum, { length }) => sum + length + context.length, 0);
    // What else a row has may be nothing that goes from process to process.
    const row = { context, continuations };
    const answer = await this.#askFor(characters, { kind: "encode", tokenizer: this.#source.keepAs, row }, explain);
    if (answer.kind === "row") return answer.row;
    throw unanswered(answer, explain);
  }

  async #prompt(text: string): Promise<Int32Array> {
    const explain = this.#explainText(text);
    const answer = await this.#askFor(text.length, { kind: "prompt", tokenizer: this.#source.keepAs, text }, explain);
    if (answer.kind === "ids") return answer.ids;
    throw unanswered(answer, explain);
  }

  async #decode(ids: readonly number[]): Promise<string> {
    const { folder, keepAs } = this.#source;
    const explain = (reason: string): string =>
      `${join(folder, TOKENIZER_FILE)}: cannot make a text of tokens: ${reason}; use another tokenizer`;
    const answer = await this.#askFor(ids.length, { kind: "decode", tokenizer: keepAs, ids }, explain);
    if (answer.kind === "text") return answer.text;
    throw unanswered(answer, explain);
  }

  #explainText(text: string): (reason: string) => string {
    return (reason) =>
      `${join(this.#source.folder, TOKENIZER_FILE)}: cannot tokenise ${show(text)}: ${reason}; use another tokenizer or leave out the text`;
  }

  async #render(chat: readonly ChatTurn[]): Promise<string> {
    const { folder, keepAs } = this.#source;
    const asked = chat.at(-1)?.content ?? "";
    const explain = (reason: string): string =>
      `${folder}: its chat template cannot take ${show(asked)}: ${reason}; leave out --apply-chat-template`;
    const characters = chat.reduce((sum, { content }) => sum + content.length, 0);
    const answer = await this.#askFor(characters, { kind: "render", tokenizer: keepAs, chat }, explain);
    if (answer.kind === "text") return answer.text;
    throw unanswered(answer, explain);
  }

  #askFor(characters: number, request: Request, explain: (reason: string) => string): Promise<Answer> {
    return this.#child.ask(this.#source, request, PATIENCE.ms + PATIENCE.msPerCharacter * characters, explain);
  }

  async #reopen(): Promise<void> {
    const { facts, child } = await readTokenizer(this.#source);
    const { folder } = this.#source;
    if (facts.digest !== this.digest)
      throw new UserError(`${join(folder, TOKENIZER_FILE)}: it was changed while it was used; start again`);
    this.#child = child;
  }
}
