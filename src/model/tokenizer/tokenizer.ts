import { stat } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../errors.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import type { Answer, ReadRequest, TokenizerFacts } from "./protocol.ts";
import type { TextRow, TokenizerOptions, TokenRow } from "./token-encoder.ts";
import { EndedByOthers, TokenizerChild } from "./tokenizer-child.ts";
import { TOKENIZER_FILE } from "./tokenizer-file.ts";

export type { TokenizerFacts } from "./protocol.ts";
export type { TextRow, TokenizerOptions, TokenRow } from "./token-encoder.ts";

/**
 * How long a machine that has other work may take: forty times what an idle one does for a vocabulary, and for the
 * slowest kind of tokenizer.
 */
const PATIENCE = { ms: 8000, msPerMebibyte: 4000, msPerCharacter: 2 } as const;

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
  readonly #source: KeptSource;
  #child: TokenizerChild;
  #reopening: Promise<void> | undefined;

  private constructor(source: KeptSource, facts: TokenizerFacts, child: TokenizerChild) {
    this.digest = facts.digest;
    this.vocabularySize = facts.vocabularySize;
    this.textVocabularySize = facts.textVocabularySize;
    this.#source = source;
    this.#child = child;
  }

  /**
   * Reads tokenizer.json and tokenizer_config.json of a model folder; a UserError if they cannot be used. Rejects with the
   * reason of an aborted signal.
   */
  static async load(folder: string, options: TokenizerOptions = {}, signal?: AbortSignal): Promise<Tokenizer> {
    const source = { folder, options, keepAs: count++ };
    const { facts, child } = await read(source, signal);
    return new Tokenizer(source, facts, child);
  }

  /** What the tokenizer of a folder is, for a comparison. */
  static async describe(folder: string, signal?: AbortSignal): Promise<TokenizerFacts> {
    return (await read({ folder, options: {} }, signal)).facts;
  }

  /**
   * Token ids of rows, in their order. A UserError names the first text that the tokenizer cannot manage; rejects with the
   * reason of an aborted signal.
   */
  async encode(rows: readonly TextRow[], signal?: AbortSignal): Promise<TokenRow[]> {
    signal?.throwIfAborted();
    const onAbort = (): void => this.#child.stop(this.#source, signal?.reason);
    signal?.addEventListener("abort", onAbort);
    try {
      return await Promise.all(rows.map((row) => this.#encode(row)));
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.forget(this.#source.keepAs);
  }

  async #encode(row: TextRow): Promise<TokenRow> {
    try {
      return await this.#ask(row);
    } catch (error) {
      if (!(error instanceof EndedByOthers)) throw error;
    }
    // Many rows find this out at once.
    this.#reopening ??= this.#reopen().finally(() => (this.#reopening = undefined));
    await this.#reopening;
    return this.#ask(row);
  }

  async #ask(row: TextRow): Promise<TokenRow> {
    const { folder, keepAs } = this.#source;
    const explain = (reason: string): string =>
      `${join(folder, TOKENIZER_FILE)}: cannot tokenise ${show(row.context)}: ${reason}; use another tokenizer or leave out the text`;
    const characters = row.continuations.reduce((sum, { length }) => sum + length + row.context.length, 0);
    const patienceMs = PATIENCE.ms + PATIENCE.msPerCharacter * characters;
    const request = { kind: "encode", tokenizer: keepAs, row } as const;
    const answer = await this.#child.ask(this.#source, request, patienceMs, explain);
    if (answer.kind === "row") return answer.row;
    throw refused(answer, explain);
  }

  async #reopen(): Promise<void> {
    const { facts, child } = await read(this.#source);
    const { folder } = this.#source;
    if (facts.digest !== this.digest)
      throw new UserError(`${join(folder, TOKENIZER_FILE)}: it was changed while it was used; start again`);
    this.#child = child;
  }
}

type Source = Omit<ReadRequest, "kind">;
type KeptSource = Source & { readonly keepAs: number };

async function read(
  source: Source,
  signal?: AbortSignal,
): Promise<{ readonly facts: TokenizerFacts; readonly child: TokenizerChild }> {
  const path = join(source.folder, TOKENIZER_FILE);
  const explain = (reason: string): string => `${path}: cannot be read: ${reason}; use another tokenizer`;
  // A file that is not there is reported by whoever opens it.
  const bytes = await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
  const patienceMs = PATIENCE.ms + PATIENCE.msPerMebibyte * (bytes / 2 ** 20);
  for (;;) {
    signal?.throwIfAborted();
    const child = TokenizerChild.shared;
    const onAbort = (): void => child.stop(source, signal?.reason);
    signal?.addEventListener("abort", onAbort);
    try {
      const answer = await child.ask(source, { kind: "read", ...source }, patienceMs, explain);
      if (answer.kind === "facts") return { facts: answer.facts, child };
      throw refused(answer, explain);
    } catch (error) {
      if (!(error instanceof EndedByOthers)) throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }
}

function refused(answer: Answer, explain: (reason: string) => string): Error {
  if (answer.kind === "refusal") return new UserError(answer.sentence);
  if (answer.kind === "failure") return new UserError(explain(answer.reason));
  return new Error(`tokenizer: an answer of kind ${answer.kind} to another question`);
}
