import { UserError } from "../errors.ts";
import { showUntrusted } from "../files/show-untrusted.ts";
import type { Model } from "../model/architecture.ts";

/** Token ids as a model reads them: one sequence, or of an encoder-decoder what each of the two reads. */
export type TokenIds = readonly number[] | { readonly encoder: readonly number[]; readonly decoder: readonly number[] };

/** What a sequence of ids is held against. */
type Limits = Pick<Model, "maxLength" | "vocabularySize">;

/** The ids of one sequence for a causal model, from whatever was given; a UserError where they are not at least two that it reads. */
export function causalIds(given: unknown, { maxLength, vocabularySize }: Limits): Int32Array {
  const isPair = typeof given === "object" && given !== null && ("encoder" in given || "decoder" in given);
  if (isPair)
    throw new UserError(
      "ids: expected one list, such as [1, 2, 3], since this model is causal; found lists for an encoder and a decoder",
    );
  if (!Array.isArray(given)) throw new UserError(`ids: expected a list, such as [1, 2, 3], found ${inShort(given)}`);
  const ids: readonly unknown[] = given;
  if (ids.length < 2)
    throw new UserError(`ids: expected at least two, found ${ids.length}; each is predicted from those before it`);
  if (ids.length > maxLength)
    throw new UserError(`ids: expected at most ${maxLength}, the positions of this model, found ${ids.length}`);
  const isId = (id: unknown): boolean => Number.isInteger(id) && Number(id) >= 0 && Number(id) < vocabularySize;
  const at = ids.findIndex((id) => !isId(id));
  if (at >= 0) {
    throw new UserError(
      `ids: number ${at + 1}: expected a whole number from 0 to ${vocabularySize - 1}, one of this model's embeddings, found ${inShort(ids[at])}`,
    );
  }
  return Int32Array.from(ids, Number);
}

/** Texts, numbers and the like; of what has parts only what it is. */
function inShort(value: unknown): string {
  return Array.isArray(value) ? "a list" : showUntrusted(value);
}
