/** What an adapter does to one tensor of its base, by the names of the adapter's tensors. */
export interface TensorChange {
  /** Stands in the place of the base's, before anything is added. */
  replacement?: string;
  /** Holds the same values as the replacement, since the tensor is two in the model: the embedding, and the head that is tied to it. */
  twin?: string;
  /** In the order in which they are added: one, or several of modules that share the tensor. */
  readonly products: LowRankChange[];
  /** Of a bias, which the scaled bias of the second matrix is added to. */
  bias?: { readonly tensor: string; readonly scale: number };
}

/** `W + scale * B A`, or its transpose, and what becomes of its length. */
export interface LowRankChange {
  /** Of shape [rank, in]. */
  readonly a: string;
  /** Of shape [out, rank]. */
  readonly b: string;
  readonly scale: number;
  /** Whether the base holds [in, out], as embeddings and GPT-2's Conv1D do. */
  readonly isTransposed: boolean;
  /** Whether the product is rounded to the base's type before it is added, as peft does of embeddings. */
  readonly isRoundedFirst: boolean;
  /** DoRA: the length that each output is to have. */
  readonly magnitude?: string;
}
