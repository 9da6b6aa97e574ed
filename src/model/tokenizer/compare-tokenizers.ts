/** What an expert's tokenizer has otherwise than the base's. */
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { AddedTokens, idsOf } from "./added-tokens.ts";
import { type CanonicalTokenizer, canonicalTokenizer } from "./canonical.ts";
import { type LoadedTokenizer, loadedTokenizer } from "./loaded-tokenizer.ts";
import type { TokenizerComparison } from "./protocol.ts";
import { withFlags } from "./special-tokens.ts";
import type { TokenizerFiles } from "./tokenizer-file.ts";

interface Side {
  readonly canonical: CanonicalTokenizer;
  readonly loaded: LoadedTokenizer;
}

/**
 * Compares two tokenizers by the ids that they give. What keeps models from being merged are faults; notices are about what
 * the base's tokenizer decides for all. Throws an Error for files that no tokenizer can be made of.
 */
export function compareTokenizers(base: TokenizerFiles, other: TokenizerFiles): TokenizerComparison {
  const found = differences(sideOf(loadedTokenizer(base)), sideOf(loadedTokenizer(other)));
  if (found.faults.length === 0) return found;
  const written = differences(sideOf(asWritten(base)), sideOf(asWritten(other)));
  if (written.faults.length > 0) return found;
  const classes = inBase(show(base.config["tokenizer_class"]), show(other.config["tokenizer_class"]));
  return { faults: [], notices: [`tokenizer_class: ${classes}, of the same tokenizer.json`, ...found.notices] };
}

function sideOf(loaded: LoadedTokenizer): Side {
  return { canonical: canonicalTokenizer(loaded), loaded };
}

/** What a class that takes tokenizer.json as it is makes of it. */
function asWritten({ file }: TokenizerFiles): LoadedTokenizer {
  const added = new AddedTokens(idsOf(file.model.vocab));
  for (const token of file.added_tokens) added.add(withFlags(token));
  return { file: { ...file, added_tokens: added.list() }, prefix: undefined, implied: new Set() };
}

function differences(base: Side, other: Side): TokenizerComparison {
  const [expected, found] = [base.canonical, other.canonical];
  const haveSpaces = expected.spaces !== undefined && found.spaces !== undefined;
  return {
    faults: [
      ...tokens(expected.tokens, found.tokens),
      ...merges(expected.merges, found.merges),
      ...settings(expected.model, found.model),
      ...(haveSpaces ? [] : steps(base, other)),
    ],
    notices: [
      ...flags(expected.added, found.added),
      ...(haveSpaces && expected.spaces !== found.spaces
        ? [`spaces before a text: ${inBase(expected.spaces ?? "", found.spaces ?? "")}`]
        : []),
      ...differing("post_processor", shownAdded(expected), shownAdded(found)),
      ...differing("the token of an empty context", tokenAt(expected.prefix), tokenAt(found.prefix)),
    ],
  };
}

function tokens(expected: ReadonlyMap<string, number>, found: ReadonlyMap<string, number>): string[] {
  const ids = new Set<number>();
  for (const [token, id] of expected) if (found.get(token) !== id) ids.add(id);
  for (const [token, id] of found) if (expected.get(token) !== id) ids.add(id);
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

function flags(expected: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): string[] {
  const names = new Set([...expected.keys(), ...found.keys()]);
  return [...names].flatMap((name) =>
    differing(`added token ${show(name)}`, shownFlags(expected.get(name)), shownFlags(found.get(name))),
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
