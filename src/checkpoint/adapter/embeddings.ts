/** Tensors that are two modules of a model, or three. */
import type { Specs } from "./tensor-changes.ts";

/** Names of embeddings, of which a base has one, and of the head, which it does not have where the embedding is that too. */
const SHARED = "shared.weight";
const EMBEDDINGS = ["model.embed_tokens.weight", SHARED];
export const HEAD = "lm_head.weight";

/** What a T5 calls its embedding where its stacks read it, in the order in which peft merges them. */
const READERS = ["encoder.embed_tokens", "decoder.embed_tokens"];

/** What to do about an adapter that knows head and embedding as two. */
export const UNTIE = "save the base with both of them and tie_word_embeddings false, and name that as the base";

/** The embedding that is the head, too. */
export function tiedEmbedding(base: Pick<Specs, "has">): string | undefined {
  return base.has(HEAD) ? undefined : EMBEDDINGS.find((name) => base.has(name));
}

/** The tensor of the base that a module's weight is. */
export function weightOf(module: string, base: Specs): string {
  return isReader(module) && base.has(SHARED) ? SHARED : `${module}.weight`;
}

/** Whether the module reads an embedding that others read, too. */
export function isReader(module: string): boolean {
  return READERS.includes(module);
}

/** Compares modules by the order in which what they add to one tensor is rounded. */
export function byReading(first: string, second: string): number {
  return READERS.indexOf(first) - READERS.indexOf(second);
}

/** Whether a tensor is a row for each token. */
export function isOfTokens(tensor: string): boolean {
  return tensor === HEAD || EMBEDDINGS.includes(tensor);
}
