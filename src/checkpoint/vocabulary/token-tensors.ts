/** The tensors that have a row for each token. */
import { HEAD, isOfTokens, isReader, tiedEmbedding } from "../adapter/embeddings.ts";
import type { TensorInfo } from "../safetensors-header.ts";

/** Whether a tensor has a row for each token: an embedding, whatever stack reads it, or a head. */
export function hasRowsOfTokens(tensor: string): boolean {
  return isOfTokens(tensor) || isReader(tensor.replace(/\.weight$/, ""));
}

/** The tensor that stands for another with rows of tokens among some: the embedding for a head that is tied to it. */
export function standsFor(tensor: string, tensors: ReadonlyMap<string, Pick<TensorInfo, "shape">>): string | undefined {
  if (tensors.has(tensor)) return tensor;
  return tensor === HEAD ? tiedEmbedding(tensors) : undefined;
}
