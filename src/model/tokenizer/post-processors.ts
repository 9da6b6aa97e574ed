import { isJsonObject, type JsonObject } from "../../files/json-object.ts";

/** A token of the result of a post-processor, or the place of the text's own tokens. */
export type Added = number | "text";

const text: readonly Added[] = ["text"];

/** What a post-processor of tokenizer.json makes of one text, however it is written. */
export function addedAround(processor: unknown): readonly Added[] {
  if (!isJsonObject(processor)) return text;
  const { type, processors, single, special_tokens, cls, sep } = processor;
  if (type === "Sequence") {
    // Each works on what the one before it made.
    return listOf(processors).reduce<readonly Added[]>(
      (made, next) => addedAround(next).flatMap((part) => (part === "text" ? made : part)),
      text,
    );
  }
  if (type === "BertProcessing" || type === "RobertaProcessing") return [idOf(cls), ...text, idOf(sep)];
  if (type !== "TemplateProcessing") return text;
  const tokens = isJsonObject(special_tokens) ? special_tokens : {};
  return listOf(single).flatMap((piece) => piecesOf(piece, tokens));
}

function piecesOf(piece: unknown, tokens: JsonObject): readonly Added[] {
  if (!isJsonObject(piece)) return [];
  const { SpecialToken: special } = piece;
  if (!isJsonObject(special)) return text;
  const entry = tokens[String(special["id"])];
  return isJsonObject(entry) ? listOf(entry["ids"]).map(Number) : [];
}

function idOf(pair: unknown): number {
  return Number(listOf(pair)[1]);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
