import { parse } from "yaml";

/** Expansions of aliases; nested aliases multiply, so a small card could otherwise fill the memory. */
const MAX_ALIASES = 100;

/** The longest that is parsed, in characters: a card of a thousand configurations has less. */
const MAX_LENGTH = 2 ** 18;

/** What the parser takes quadratic time for, over a thousand keys or faults, is not asked of it. */
const OPTIONS = { maxAliasCount: MAX_ALIASES, logLevel: "error", uniqueKeys: false, prettyErrors: false } as const;

/** The YAML at the beginning of a model's or dataset's card, unchecked; undefined where there is none that can be read. */
export function frontMatter(card: string): unknown {
  const [, yaml] = /^\uFEFF?---\r?\n(.*?\n)---\s/s.exec(card) ?? [];
  try {
    return yaml === undefined || yaml.length > MAX_LENGTH ? undefined : parse(yaml, OPTIONS);
  } catch {
    return undefined;
  }
}
