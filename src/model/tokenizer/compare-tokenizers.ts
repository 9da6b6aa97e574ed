/** What an expert's tokenizer has otherwise than the base's. */
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { type CanonicalTokenizer, canonicalTokenizer } from "./canonical.ts";
import { loadedAs, type LoadedTokenizer } from "./loaded-tokenizer.ts";
import type { TokenizerComparison } from "./protocol.ts";
import { classOf } from "./tokenizer-classes.ts";
import type { TokenizerFiles } from "./tokenizer-file.ts";

interface Side {
  readonly canonical: CanonicalTokenizer;
  readonly loaded: LoadedTokenizer;
  /** Of its model's embeddings. */
  readonly rows: number;
}

/** What is different: what it is, and how either side has it. */
interface Clause {
  readonly what: string;
  readonly expected: string;
  readonly found: string;
  /** How many more there are of the kind. */
  readonly more?: number;
}

type Clauses = Readonly<Record<"faults" | "notices", readonly Clause[]>> &
  Pick<TokenizerComparison, "leftOut" | "lacking" | "moved">;

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
  const found = differences(left, right);
  const clauses = (all: readonly Clause[]): string[] => all.map((difference) => clauseOf(difference, called));
  const { leftOut, lacking, moved } = found;
  const tokens = { leftOut, lacking, moved, ids: rowsByToken(left, right) };
  const asLoaded = { faults: clauses(found.faults), notices: clauses(found.notices), ...tokens };
  if (found.faults.length === 0) return asLoaded;
  const written = differences(
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

function sideFrom(loaded: LoadedTokenizer, rows: number): Side {
  return { canonical: canonicalTokenizer(loaded), loaded, rows };
}

function differences(base: Side, other: Side): Clauses {
  const [expected, found] = [base.canonical, other.canonical];
  const haveSpaces = expected.spaces !== undefined && found.spaces !== undefined;
  const [here, there] = [tokensMissing(other, found, expected), tokensMissing(base, expected, found)];
  return {
    faults: [
      ...(here.isText || there.isText ? [firstToken(expected.tokens, found.tokens)] : []),
      ...merges(expected.merges, found.merges),
      ...settings(expected.model, found.model),
      ...(haveSpaces ? [] : steps(base, other)),
    ],
    notices: [
      ...here.spare.flatMap((token) => differing(`added token ${show(token)}`, "none", SPARE)),
      ...there.spare.flatMap((token) => differing(`added token ${show(token)}`, SPARE, "none")),
      ...flags(expected, found),
      ...(haveSpaces ? differing("spaces before a text", expected.spaces ?? "", found.spaces ?? "") : []),
      ...differing("post_processor", shownAdded(expected), shownAdded(found)),
      ...differing("the token of an empty context", prefixOf(expected), prefixOf(found)),
    ],
    leftOut: here.added,
    lacking: there.added,
    moved: [...expected.tokens].flatMap(([token, id]) => ((found.tokens.get(token) ?? id) === id ? [] : [token])),
  };
}

const SPARE = "one without an embedding";

interface MissingTokens {
  /** Whether words are among them. */
  readonly isText: boolean;
  /** Added ones with an embedding, in the order of their ids. */
  readonly added: readonly string[];
  /** Added ones that have none, so that no model learned them. */
  readonly spare: readonly string[];
}

/** What one side has and the other has not. */
function tokensMissing(
  { rows }: Pick<Side, "rows">,
  { tokens, added }: CanonicalTokenizer,
  { tokens: others }: CanonicalTokenizer,
): MissingTokens {
  const missing = [...tokens].filter(([token]) => !others.has(token)).toSorted(([, a], [, b]) => a - b);
  const ofAdded = missing.filter(([token]) => added.has(token));
  return {
    isText: ofAdded.length < missing.length,
    added: ofAdded.flatMap(([token, id]) => (id < rows ? [token] : [])),
    spare: ofAdded.flatMap(([token, id]) => (id < rows ? [] : [token])),
  };
}

/** The first id that is not of the same token on both sides. */
function firstToken(expected: ReadonlyMap<string, number>, found: ReadonlyMap<string, number>): Clause {
  const ids = new Set<number>();
  for (const [own, others] of [[expected, found] as const, [found, expected] as const])
    for (const [token, id] of own) if (others.get(token) !== id) ids.add(id);
  const first = [...ids].reduce((least, id) => Math.min(least, id));
  const named = (all: ReadonlyMap<string, number>): string => {
    const held = Array.from(all).filter(([, id]) => id === first);
    return held.length === 0 ? "none" : held.map(([token]) => show(token)).join(" and ");
  };
  return { what: `token ${first}`, expected: named(expected), found: named(found), more: ids.size - 1 };
}

/** See `TokenizerComparison.ids`. */
function rowsByToken(base: Side, other: Side): Int32Array {
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

function merges(expected: readonly string[], found: readonly string[]): Clause[] {
  const length = Math.max(expected.length, found.length);
  for (let i = 0; i < length; i += 1) {
    if (expected[i] === found[i]) continue;
    return [{ what: `merge ${i}`, expected: mergeOf(expected[i]), found: mergeOf(found[i]) }];
  }
  return [];
}

function mergeOf(merge: string | undefined): string {
  return merge === undefined ? "none" : show((JSON.parse(merge) as string[]).join(" "));
}

function settings(expected: CanonicalTokenizer["model"], found: CanonicalTokenizer["model"]): Clause[] {
  const names = new Set([...Object.keys(expected), ...Object.keys(found)]);
  return [...names].flatMap((name) =>
    differing(`model.${name}`, JSON.stringify(expected[name]) ?? "not set", JSON.stringify(found[name]) ?? "not set"),
  );
}

function steps(base: Side, other: Side): Clause[] {
  const names = ["normalizer", "pre_tokenizer"] as const;
  const isSame = (name: "normalizer" | "preTokenizer"): boolean =>
    JSON.stringify(base.canonical[name]) === JSON.stringify(other.canonical[name]) &&
    base.canonical.spaces === other.canonical.spaces;
  return names.flatMap((name) => {
    if (isSame(name === "normalizer" ? name : "preTokenizer")) return [];
    return differing(
      name,
      JSON.stringify(base.loaded.file[name]) ?? "none",
      JSON.stringify(other.loaded.file[name]) ?? "none",
    );
  });
}

/** Of the tokens that both have. */
function flags(expected: CanonicalTokenizer, found: CanonicalTokenizer): Clause[] {
  const names = new Set([...expected.added.keys(), ...found.added.keys()]);
  return [...names].flatMap((name) =>
    expected.tokens.has(name) && found.tokens.has(name)
      ? differing(`added token ${show(name)}`, shownFlags(expected.added.get(name)), shownFlags(found.added.get(name)))
      : [],
  );
}

function shownFlags(flags: string | undefined): string {
  return flags === undefined ? "no added token" : flags || "no flags";
}

function shownAdded({ postProcessor }: CanonicalTokenizer): string {
  return `[${postProcessor.join(", ")}]`;
}

/** By its text where both have it under other ids. */
function prefixOf({ prefix, tokens }: CanonicalTokenizer): string {
  const [token] = [...tokens].find(([, id]) => id === prefix) ?? [];
  return token === undefined ? "none" : show(token);
}

function differing(what: string, expected: string, found: string): Clause[] {
  if (expected === found) return [];
  const [own, other] = aroundDifference(expected, found);
  return [{ what, expected: own, found: other }];
}

const SHOWN = 80;

/** Both texts where they begin to differ, if they are long. */
function aroundDifference(a: string, b: string): [string, string] {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  const start = Math.max(0, at - SHOWN / 2);
  const cut = (text: string): string =>
    text.length <= SHOWN
      ? text
      : `${start > 0 ? "..." : ""}${text.slice(start, start + SHOWN)}${start + SHOWN < text.length ? "..." : ""}`;
  return [cut(a), cut(b)];
}
