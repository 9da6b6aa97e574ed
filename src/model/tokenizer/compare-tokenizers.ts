/** What an expert's tokenizer has otherwise than the base's. */
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { canonicalTokenizer } from "./canonical.ts";
import { loadedAs, type LoadedTokenizer } from "./loaded-tokenizer.ts";
import type { TokenizerComparison } from "./protocol.ts";
import { classOf } from "./tokenizer-classes.ts";
import { type Clause, type ComparedTokenizer, tokenizerDifferences } from "./tokenizer-differences.ts";
import type { TokenizerFiles } from "./tokenizer-file.ts";

export interface CompareTokenizersOptions {
  /** Rows of the embeddings of either model; as many as config.json says unless given. */
  readonly rows?: readonly [expected: number, found: number] | undefined;
  /** How clauses call the model that the other is compared with; the base unless given. */
  readonly called?: string;
}

/**
 * Compares two tokenizers by the ids that they give. What keeps models from being merged are faults; notices are about what
 * the base's tokenizer decides for all. Tokens that were added to one of them, or have other ids, are told apart from words,
 * which must be the same. Throws an Error for files that no tokenizer can be made of.
 */
export function compareTokenizers(
  base: TokenizerFiles,
  other: TokenizerFiles,
  { rows, called = "the base" }: CompareTokenizersOptions = {},
): TokenizerComparison {
  const [expected, own] = [classOf(base), classOf(other)];
  const [expectedRows, ownRows] = rows ?? [rowsIn(base), rowsIn(other)];
  const [left, right] = [sideFrom(loadedAs(expected, base), expectedRows), sideFrom(loadedAs(own, other), ownRows)];
  const found = tokenizerDifferences(left, right);
  const clauses = (all: readonly Clause[]): string[] => all.map((difference) => clauseOf(difference, called));
  const { leftOut, lacking, moved } = found;
  const tokens = { leftOut, lacking, moved, ids: rowsByToken(left, right) };
  const asLoaded = { faults: clauses(found.faults), notices: clauses(found.notices), ...tokens };
  if (found.faults.length === 0) return asLoaded;
  const written = tokenizerDifferences(
    sideFrom(loadedAs(undefined, base), expectedRows),
    sideFrom(loadedAs(undefined, other), ownRows),
  );
  if (written.faults.length > 0) return asLoaded;
  // Of one class, settings of tokenizer_config.json differ.
  if (expected === own) return { faults: [], notices: clauses([...found.faults, ...found.notices]), ...tokens };
  const classes = { expected: show(base.config["tokenizer_class"]), found: show(other.config["tokenizer_class"]) };
  const ofClass = `${clauseOf({ what: "tokenizer_class", ...classes }, called)}, of the same tokenizer.json`;
  return { faults: [], notices: [ofClass, ...asLoaded.notices], ...tokens };
}

function clauseOf({ what, expected, found, more = 0 }: Clause, called: string): string {
  return `${what}: ${expected} in ${called}, ${found} here${more > 0 ? ` and ${more} more` : ""}`;
}

function rowsIn({ model }: TokenizerFiles): number {
  return Number(model?.["vocab_size"] ?? Infinity);
}

function sideFrom(loaded: LoadedTokenizer, rows: number): ComparedTokenizer {
  return { canonical: canonicalTokenizer(loaded), loaded, rows };
}

/** See `TokenizerComparison.ids`. */
function rowsByToken(base: ComparedTokenizer, other: ComparedTokenizer): Int32Array {
  const [expected, own] = [base.canonical.tokens, other.canonical.tokens];
  const size = [...expected.values()].reduce((most, id) => Math.max(most, id + 1), 0);
  const rows = Number.isFinite(base.rows) ? base.rows : size;
  const ids = new Int32Array(rows).fill(-1);
  const named = new Set(expected.values());
  const taken = new Set(own.values());
  for (let row = 0; row < Math.min(rows, other.rows); row += 1) if (!named.has(row) && !taken.has(row)) ids[row] = row;
  for (const [token, id] of expected) {
    const found = own.get(token) ?? Infinity;
    if (id < rows && found < other.rows) ids[id] = found;
  }
  return ids;
}
