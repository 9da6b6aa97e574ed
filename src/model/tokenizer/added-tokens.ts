import { isJsonObject, type JsonObject } from "../../files/json-object.ts";
import type { AddedToken } from "./special-tokens.ts";

/** The added tokens of a vocabulary, with the ids that Hugging Face's `tokenizers` (Rust) gives them: written ids have no say. */
export class AddedTokens {
  readonly #vocabulary: ReadonlyMap<string, number>;
  readonly #tokens = new Map<string, { readonly token: AddedToken; readonly id: number }>();
  #largest = -1;

  constructor(vocabulary: ReadonlyMap<string, number>) {
    this.#vocabulary = vocabulary;
  }

  /** A token that is there already gets the new flags. */
  add(token: AddedToken): void {
    const { content } = token;
    if (content === "") return;
    const id = this.idOf(content) ?? Math.max(this.#vocabulary.size, this.#largest + 1);
    this.#tokens.set(content, { token, id });
    this.#largest = Math.max(this.#largest, id);
  }

  has(content: string): boolean {
    return this.#tokens.has(content);
  }

  idOf(content: string): number | undefined {
    return this.#tokens.get(content)?.id ?? this.#vocabulary.get(content);
  }

  /** As entries of tokenizer.json. */
  list(): (JsonObject & { readonly content: string; readonly id: number })[] {
    return Array.from(this.#tokens.values(), ({ token, id }) => ({ id, ...token }));
  }
}

/** Ids by token, of the vocabulary of any kind of model. */
export function idsOf(vocabulary: unknown): Map<string, number> {
  if (Array.isArray(vocabulary)) return new Map(vocabulary.map(([token]: [string], id) => [token, id]));
  return new Map(isJsonObject(vocabulary) ? (Object.entries(vocabulary) as [string, number][]) : []);
}
