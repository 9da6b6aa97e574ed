import { UserError } from "../errors.ts";
import type { SequenceIds } from "../evaluate/token-log-probabilities.ts";
import { showUntrusted } from "../files/show-untrusted.ts";
import type { Model } from "../model/architecture.ts";

/** Token ids as a model reads them: one sequence, or of an encoder-decoder what each of the two reads. */
export type TokenIds = readonly number[] | { readonly encoder: readonly number[]; readonly decoder: readonly number[] };

/** What ids are held against. */
type Limits = Pick<Model, "encoding" | "maxLength" | "vocabularySize">;

const EXAMPLE = "[1, 2, 3]";
const PAIR = '{"encoder": [5, 6, 1], "decoder": [0, 7, 8]}';

/** The ids for a model, from whatever was given; a UserError where they are not what it reads, or too few to predict one. */
export function sequenceIds(given: unknown, model: Limits): SequenceIds {
  const isPair = typeof given === "object" && given !== null && ("encoder" in given || "decoder" in given);
  if (!model.encoding) {
    if (!isPair) return { ids: idsIn("ids", given, 2, model) };
    throw new UserError(
      `ids: expected one list, such as ${EXAMPLE}, since this model is causal; found lists for an encoder and a decoder`,
    );
  }
  if (!isPair) {
    throw new UserError(
      `ids: expected lists for the encoder and the decoder, such as ${PAIR}, since this model has both, found ${inShort(given)}`,
    );
  }
  const { encoder, decoder, ...others } = given as Record<string, unknown>;
  const [other] = Object.keys(others);
  for (const [name, ids] of Object.entries({ encoder, decoder })) {
    if (ids === undefined)
      throw new UserError(`ids: expected lists for the encoder and the decoder, such as ${PAIR}, found no "${name}"`);
  }
  if (other !== undefined)
    throw new UserError(`ids: expected encoder and decoder alone, found ${showUntrusted(other)} too`);
  // Positions are relative, and have no end.
  const limits = { ...model, maxLength: Infinity };
  return {
    source: idsIn("ids of the encoder", encoder, 1, limits),
    ids: idsIn("ids of the decoder", decoder, 2, limits),
  };
}

function idsIn(what: string, given: unknown, least: 1 | 2, { maxLength, vocabularySize }: Limits): Int32Array {
  if (!Array.isArray(given))
    throw new UserError(`${what}: expected a list, such as ${EXAMPLE}, found ${inShort(given)}`);
  const ids: readonly unknown[] = given;
  if (ids.length < least) {
    throw new UserError(
      least === 1
        ? `${what}: expected at least one, found none`
        : `${what}: expected at least two, found ${ids.length}; each is predicted from those before it`,
    );
  }
  if (ids.length > maxLength)
    throw new UserError(`${what}: expected at most ${maxLength}, the positions of this model, found ${ids.length}`);
  const isId = (id: unknown): boolean => Number.isInteger(id) && Number(id) >= 0 && Number(id) < vocabularySize;
  const at = ids.findIndex((id) => !isId(id));
  if (at >= 0) {
    throw new UserError(
      `${what}: number ${at + 1}: expected a whole number from 0 to ${vocabularySize - 1}, one of this model's embeddings, found ${inShort(ids[at])}`,
    );
  }
  return Int32Array.from(ids, Number);
}

/** Texts, numbers and the like; of what has parts only what it is. */
function inShort(value: unknown): string {
  return Array.isArray(value) ? "a list" : showUntrusted(value);
}
