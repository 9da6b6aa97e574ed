import { parse } from "yaml";

/** Expansions of aliases; nested aliases multiply, so a small card could otherwise fill the memory. */
const MAX_ALIASES = 100;

/** The YAML at the beginning of a model's or dataset's card, unchecked; undefined where there is none that can be read. */
export function frontMatter(card: string): unknown {
  const [, yaml] = /^\uFEFF?---\r?\n(.*?\n)---\s/s.exec(card) ?? [];
  try {
    return yaml === undefined ? undefined : parse(yaml, { maxAliasCount: MAX_ALIASES, logLevel: "error" });
  } catch {
    return undefined;
  }
}
