/** What an expert's tokenizer has otherwise than the base's. */
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { idsOf } from "./added-tokens.ts";
import { type CanonicalTokenizer, canonicalTokenizer } from "./canonical.ts";
import { loadedAs, type LoadedTokenizer } from "./loaded-tokenizer.ts";
import type { TokenizerComparison } from "./protocol.ts";
import { classOf } from "./tokenizer-classes.ts";
import type { TokenizerFiles } from "./tokenizer-file.ts";

interface Side {
  readonly canonical: CanonicalTokenizer;
  readonly loaded: LoadedTokenizer;
  /** Whether no text of the base's has the token, and no model learns it: one that is added without an embedding, or padding. */
  readonly isSpare: (token: string, id: number) => boolean;
}

/**
 * Compares two tokenizers by the ids that they give. What keeps models from being merged are faults; notices are about what
 * the base's tokenizer decides for all. Throws an Error for files that no tokenizer can be made of.
 */
export function compareTokenizers(base: TokenizerFiles, other: TokenizerFiles): TokenizerComparison {
  const [expected, own] = [classOf(base), classOf(other)];
  const embeddings = Number(base.model?.["vocab_size"] ?? Infinity);
  const sideOf = (files: TokenizerFiles, of: typeof own): Side => sideFrom(loadedAs(of, files), embeddings);
  const found = differences(sideOf(base, expected), sideOf(other, own));
  if (found.faults.length === 0) return found;
  const written = differences(sideOf(base, undefined), sideOf(other, undefined));
  if (written.faults.length > 0) return found;
  // Of one class, settings of tokenizer_config.json differ.
  if (expected === own) return { faults: [], notices: [...found.faults, ...found.notices] };
  const classes = inBase(show(base.config["tokenizer_class"]), show(other.config["tokenizer_class"]));
  return { faults: [], notices: [`tokenizer_class: ${classes}, of the same tokenizer.json`, ...found.notices] };
}

function sideFrom(loaded: LoadedTokenizer, embeddings: number): Side {
  const { file, padding } = loaded;
  const pieces = idsOf(file.model.vocab);
  return {
    canonical: canonicalTokenizer(loaded),
    loaded,
    isSpare: (token, id) => token === padding || (id >= embeddings && !pieces.has(token)),
  };
}

function differences(base: Side, other: Side): TokenizerComparison {
  const [expected, found] = [base.canonical, other.canonical];
  const haveSpaces = expected.spaces !== undefined && found.spaces !== undefined;
  const { learned, spare } = otherTokens(base, other);
  return {
    faults: [
      ...tokens(learned, expected.tokens, found.tokens),
      ...merges(expected.merges, found.merges),
      ...settings(expected.model, found.model),
      ...(haveSpaces ? [] : steps(base, other)),
    ],
    notices: [
      ...tokens(spare, expected.tokens, found.tokens),
      ...flags(expected, found),
      ...(haveSpaces && expected.spaces !== found.spaces
        ? [`spaces before a text: ${inBase(expected.spaces ?? "", found.spaces ?? "")}`]
        : []),
      ...differing("post_processor", shownAdded(expected), shownAdded(found)),
      ...differing("the token of an empty context", tokenAt(expected.prefix), tokenAt(found.prefix)),
    ],
  };
}

/** Ids of the tokens that are not the same on both sides: those that a model may have learned, and the others. */
function otherTokens(base: Side, other: Side): Readonly<Record<"learned" | "spare", ReadonlySet<number>>> {
  const [learned, spare] = [new Set<number>(), new Set<number>()];
  for (const [side, against] of [[base, other] as const, [other, base] as const]) {
    for (const [token, id] of side.canonical.tokens)
      if (against.canonical.tokens.get(token) !== id) (side.isSpare(token, id) ? spare : learned).add(id);
  }
  return { learned, spare };
}

function tokens(
  ids: ReadonlySet<number>,
  expected: ReadonlyMap<string, number>,
  found: ReadonlyMap<string, number>,
): string[] {
  if (ids.size === 0) return [];
  const first = [...ids].reduce((least, id) => Math.min(least, id));
  const named = (all: ReadonlyMap<string, number>): string => {
    const held = Array.from(all).filter(([, id]) => id === first);
    return held.length === 0 ? "none" : held.map(([token]) => show(token)).join(" and ");
  };
  const more = ids.size === 1 ? "" : ` and ${ids.size - 1} more`;
  return [`token ${first}: ${inBase(named(expected), named(found))}${more}`];
}

function merges(expected: readonly string[], found: readonly string[]): string[] {
  const length = Math.max(expected.length, found.length);
  for (let i = 0; i < length; i += 1) {
    if (expected[i] !== found[i]) return [`merge ${i}: ${inBase(mergeOf(expected[i]), mergeOf(found[i]))}`];
  }
  return [];
}

function mergeOf(merge: string | undefined): string {
  return merge === undefined ? "none" : show((JSON.parse(merge) as string[]).join(" "));
}

function settings(expected: CanonicalTokenizer["model"], found: CanonicalTokenizer["model"]): string[] {
  const names = new Set([...Object.keys(expected), ...Object.keys(found)]);
  return [...names].flatMap((name) =>
    differing(`model.${name}`, JSON.stringify(expected[name]) ?? "not set", JSON.stringify(found[name]) ?? "not set"),
  );
}

function steps(base: Side, other: Side): string[] {
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
function flags(expected: CanonicalTokenizer, found: CanonicalTokenizer): string[] {
  const names = new Set([...expected.added.keys(), ...found.added.keys()]);
  return [...names].flatMap((name) =>
    expected.tokens.get(name) === found.tokens.get(name)
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

function tokenAt(id: number | undefined): string {
  return id === undefined ? "none" : String(id);
}

function differing(what: string, expected: string, found: string): string[] {
  return expected === found ? [] : [`${what}: ${inBase(...aroundDifference(expected, found))}`];
}

function inBase(expected: string, found: string): string {
  return `${expected} in the base, ${found} here`;
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
