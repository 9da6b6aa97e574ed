/**
 * Text to ids as Hugging Face's `tokenizers` (Rust) makes them: added tokens are looked for, what is between them is normalized,
 * divided and given to the model piece by piece. The library has the steps, and parts of our own stand in the place of those that
 * give other ids than Rust.
 */
import { Tokenizer } from "@huggingface/tokenizers";
import type { JsonObject } from "../../files/json-object.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { AddedTokenSearch, type SoughtToken } from "./added-token-search.ts";
import { idsOf } from "./added-tokens.ts";
import { BytePairEncoding } from "./byte-pair-encoding.ts";
import { CompiledMap } from "./compiled-map.ts";
import type { LoadedTokenizer } from "./loaded-tokenizer.ts";
import { normalizerForLibrary } from "./normalizers.ts";
import { type Added, addedAround } from "./post-processors.ts";
import { preTokenizerForLibrary } from "./pre-tokenizers.ts";
import { withFlags } from "./special-tokens.ts";
import type { TokenizerFile } from "./tokenizer-file.ts";
import { Unigram } from "./unigram.ts";
import { partWithoutToken } from "./vocabulary.ts";

/** The library's normalizer of a sequence. */
interface Steps {
  readonly normalizers: readonly { readonly config: JsonObject; normalize: (text: string) => string }[];
}

export class TokenizerPipeline {
  /** Tokens that are looked for in a text as it is, and then those that are looked for in what is between, normalized. */
  readonly #written: AddedTokenSearch;
  readonly #normalized: AddedTokenSearch;
  readonly #normalize: (text: string) => string;
  /** Pieces of a part of a text; at its start a space may be put in front. */
  readonly #divide: (part: string, isStart: boolean) => readonly string[];
  /** Ids of a piece. */
  readonly #model: (piece: string) => readonly number[];
  readonly #around: readonly Added[];

  /** Throws an Error that says what the file has that cannot be used. */
  constructor({ file, hidesSpecial }: LoadedTokenizer) {
    const library = libraryTokenizer(file);
    const { normalizer, pre_tokenizer: preTokenizer } = library;
    this.#normalize = (text) => (normalizer ? normalizer(text) : text);
    this.#divide = (part, isStart) => (preTokenizer ? preTokenizer(part, { section_index: isStart ? 0 : 1 }) : [part]);
    this.#model = modelOf(file, library);
    this.#around = addedAround(file["post_processor"]);
    const sought = file.added_tokens.map((token): SoughtToken => {
      const flags = withFlags(token);
      return { ...flags, id: Number(token.id), isHidden: hidesSpecial && flags.special };
    });
    this.#written = new AddedTokenSearch(sought.filter(({ normalized }) => !normalized));
    this.#normalized = new AddedTokenSearch(
      sought.filter(({ normalized }) => normalized),
      this.#normalize,
    );
  }

  /** `special`: whether with the tokens that the post-processor adds. */
  encode(text: string, { special }: { readonly special: boolean }): number[] {
    const own = this.#written.split(text).flatMap((part, i) => {
      if (typeof part === "number") return part;
      const parts = this.#normalized.split(this.#normalize(part));
      return parts.flatMap((each, k) => (typeof each === "number" ? each : this.#idsOf(each, i === 0 && k === 0)));
    });
    return this.#around.flatMap((added) => (added === "text" ? own : special ? added : []));
  }

  /** Unknown pieces are made one within a piece only. */
  #idsOf(part: string, isStart: boolean): number[] {
    return this.#divide(part, isStart).flatMap(this.#model);
  }
}

function libraryTokenizer({ normalizer, pre_tokenizer, post_processor, model }: TokenizerFile): Tokenizer {
  const parts = {
    normalizer: normalizerForLibrary(normalizer),
    pre_tokenizer: preTokenizerForLibrary(pre_tokenizer),
    // Not asked for anything, but it knows of which kinds there are.
    post_processor,
    // What is read here is never written back as text, and the library looks for no tokens.
    decoder: null,
    added_tokens: [],
    model: model["type"] === "WordPiece" ? model : { type: "BPE", vocab: {}, merges: [] },
  };
  const tokenizer = new Tokenizer(parts, {});
  for (const step of (tokenizer.normalizer as Steps | null)?.normalizers ?? []) {
    if (step.config["type"] !== "Precompiled") continue;
    const map = new CompiledMap(step.config["precompiled_charsmap"]);
    step.normalize = (text) => map.normalize(text);
  }
  return tokenizer;
}

/** The ids of a piece by the model, which is the library's for pieces of words only. */
function modelOf({ model }: TokenizerFile, library: Tokenizer): (piece: string) => readonly number[] {
  const { type, vocab, unk_token: unknown } = model;
  const ids = idsOf(vocab);
  const idOf = (token: unknown): number => {
    const id = ids.get(String(token));
    if (id === undefined) throw partWithoutToken();
    return id;
  };
  if (type === "BPE") {
    const pairs = new BytePairEncoding(model);
    return (piece) => pairs.encode(piece);
  }
  if (type === "Unigram") {
    const unigram = Unigram.of(model);
    return (piece) => unigram.encode(piece);
  }
  if (type === "WordLevel") return (piece) => [ids.get(piece) ?? idOf(unknown)];
  if (type === "WordPiece") return (piece) => library.model([piece]).map(idOf);
  throw new Error(`model: the type ${show(type)} is not known; use another tokenizer`);
}
