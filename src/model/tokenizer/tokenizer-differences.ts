/** What two tokenizers have otherwise, and how either has it. */
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import type { CanonicalTokenizer } from "./canonical.ts";
import type { LoadedTokenizer } from "./loaded-tokenizer.ts";
import type { TokenizerComparison } from "./protocol.ts";

/** A tokenizer, as it is loaded. */
export interface ComparedTokenizer {
  readonly canonical: CanonicalTokenizer;
  readonly loaded: LoadedTokenizer;
  /** Of its model's embeddings. */
  readonly rows: number;
}

/** What is different: what it is, and how either side has it. */
export interface Clause {
  readonly what: string;
  readonly expected: string;
  readonly found: string;
  /** How many more there are of the kind. */
  readonly more?: number;
}

/** Of faults and notices, and of tokens. */
export type Clauses = Readonly<Record<"faults" | "notices", readonly Clause[]>> &
  Pick<TokenizerComparison, "leftOut" | "lacking" | "moved">;

/** What keeps models from being merged, and what the base decides for all; of tokens, those that one side lacks or has under another id. */
export function tokenizerDifferences(base: ComparedTokenizer, other: ComparedTokenizer): Clauses {
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
  { rows }: Pick<ComparedTokenizer, "rows">,
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

function steps(base: ComparedTokenizer, other: ComparedTokenizer): Clause[] {
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
