/** Which tokens a merge of models has, and where each model has their rows: decided by small files alone. */
import {
  Tokenizer,
  type TokenizerComparison,
  type TokenizerFacts,
  type TokenizerSource,
} from "../model/tokenizer/tokenizer.ts";

/**
 * Whose tokens a merge has: those of the base, or with the added tokens of the other models behind them, or those of the
 * model in a folder.
 */
export type VocabularyPolicy = "base" | "union" | { readonly of: string };

/** A full model, as far as its vocabulary goes. */
export interface VocabularyParent {
  /** As people call it. */
  readonly name: string;
  readonly folder: string;
  /** Of its embeddings. */
  readonly rows: number;
  readonly tokenizer: TokenizerFacts;
}

/** The vocabulary that all models of a merge are given. */
export interface Vocabulary {
  readonly tokenizer: TokenizerSource;
  /** Of embeddings, padding among them. */
  readonly rows: number;
  /** Rows by token, as `TokenizerComparison` has them, of each model whose own are others, by its folder. */
  readonly ids: ReadonlyMap<string, Int32Array>;
}

export interface VocabularyPlan {
  readonly vocabulary: Vocabulary;
  /** What is different in the tokenizers that were compared, by folder. */
  readonly differences: ReadonlyMap<string, TokenizerComparison>;
}

export interface VocabularyPlanOptions {
  /** Embeddings get the fewest rows that are a multiple of it, instead of those that the models have. */
  readonly padTo?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Plans the vocabulary of the first of some models and of the others behind it. Of models that cannot have one vocabulary the
 * differences are faults. Rejects with a UserError where a tokenizer cannot be used.
 */
export async function planVocabulary(
  parents: readonly [VocabularyParent, ...VocabularyParent[]],
  policy: VocabularyPolicy,
  { padTo, signal }: VocabularyPlanOptions = {},
): Promise<VocabularyPlan> {
  const owner = ownerOf(parents, policy);
  const tokenizer = policy === "union" ? unionOf(parents) : { folder: owner.folder };
  const facts = tokenizer.more ? await Tokenizer.describe(tokenizer, signal) : owner.tokenizer;
  const rows = padTo === undefined ? rowsFor(facts, owner, parents, policy) : upTo(facts.vocabularySize, padTo);
  const called = owner === parents[0] ? "the base" : owner.name;
  const [ids, differences] = [new Map<string, Int32Array>(), new Map<string, TokenizerComparison>()];
  for (const parent of parents) {
    const { folder } = parent;
    if (parent.tokenizer.digest === facts.digest) {
      if (parent.rows !== rows) ids.set(folder, inPlace(rows, parent.rows));
      continue;
    }
    const compared = await Tokenizer.compare({ ...tokenizer, rows, called }, { folder, rows: parent.rows }, signal);
    differences.set(folder, compared);
    if (parent.rows !== rows || compared.ids.some((id, row) => id !== row)) ids.set(folder, compared.ids);
  }
  return { vocabulary: { tokenizer, rows, ids }, differences };
}

/** The model whose tokenizer is the first part of the merge's. */
export function ownerOf<T extends Pick<VocabularyParent, "folder">>(
  parents: readonly [T, ...T[]],
  policy: VocabularyPolicy,
): T {
  if (typeof policy === "string") return parents[0];
  return parents.find(({ folder }) => folder === policy.of) ?? parents[0];
}

/** The base's tokenizer alone where all are that. */
function unionOf([base, ...experts]: readonly [VocabularyParent, ...VocabularyParent[]]): TokenizerSource {
  const others = experts.filter(({ tokenizer }) => tokenizer.digest !== base.tokenizer.digest);
  const more = others.map(({ folder, rows }) => ({ folder, rows }));
  return { folder: base.folder, ...(more.length > 0 && { more }) };
}

/**
 * The owner's rows, its padding among them. Where others' tokens come behind its own, as many as the largest embedding has; where
 * these are too few, so many more that the number stays a multiple of the power of two, up to 128, that divides it.
 */
function rowsFor(
  { vocabularySize }: TokenizerFacts,
  owner: VocabularyParent,
  parents: readonly VocabularyParent[],
  policy: VocabularyPolicy,
): number {
  if (policy !== "union" || vocabularySize === owner.tokenizer.vocabularySize) return owner.rows;
  const largest = Math.max(...parents.map(({ rows }) => rows));
  return vocabularySize <= largest ? largest : upTo(vocabularySize, Math.min(largest & -largest, MOST_PADDED));
}

/** What embeddings are padded to for the sake of speed is hardly ever more. */
const MOST_PADDED = 128;

function upTo(size: number, multiple: number): number {
  return Math.ceil(size / multiple) * multiple;
}

/** Rows that are of the same tokens, of which there may be fewer. */
function inPlace(rows: number, found: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, row) => (row < found ? row : -1));
}
