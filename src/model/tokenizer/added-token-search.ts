/** Added tokens in texts, found as Hugging Face's `tokenizers` (Rust) finds them (`AddedVocabulary`). */
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { word } from "./pre-tokenizers.ts";
import { behind, type PrefixTree, prefixTree } from "./prefix-tree.ts";
import type { AddedToken } from "./special-tokens.ts";

export interface SoughtToken extends AddedToken {
  readonly id: number;
  /** Whether it is text where a text has it, in which nothing else is found either. */
  readonly isHidden: boolean;
}

/** What Rust's `\s` and `\w` hold. */
const isSpace = (character = ""): boolean => /\p{White_Space}/u.test(character);
const isOfWord = (() => {
  const pattern = new RegExp(`[${word}]`, "u");
  return (character = ""): boolean => pattern.test(character);
})();

export class AddedTokenSearch {
  readonly #tree: PrefixTree<SoughtToken>;
  readonly #isEmpty: boolean;

  /** Of tokens that are looked for in the form that `formOf` gives their contents. Throws an Error where two have one form. */
  constructor(tokens: readonly SoughtToken[], formOf: (content: string) => string = (content) => content) {
    const forms = new Map<string, SoughtToken>();
    for (const token of tokens) {
      const form = formOf(token.content);
      const other = forms.get(form)?.content;
      if (form !== "" && other !== undefined)
        throw new Error(
          `the added tokens ${show(other)} and ${show(token.content)} are the same once they are normalized, and Hugging Face's library takes either by chance; use another tokenizer`,
        );
      forms.set(form, token);
    }
    this.#tree = prefixTree(forms);
    this.#isEmpty = tokens.length === 0;
  }

  /** A text as ids of tokens and what is between them: of all that begin at a place, the longest, from left to right. */
  split(text: string): (string | number)[] {
    if (this.#isEmpty) return text === "" ? [] : [text];
    const characters = Array.from(text);
    const parts: (string | number)[] = [];
    let done = 0;
    for (let start = 0, end = 0; start < characters.length; start = end) {
      const found = this.#longestAt(characters, start);
      end = found?.end ?? start + 1;
      if (!found || found.token.isHidden) continue;
      const { token } = found;
      if (token.single_word && (isOfWord(characters[start - 1]) || isOfWord(characters[end]))) continue;
      let [first, last] = [token.lstrip ? Math.max(start, done) : start, end];
      while (token.lstrip && first > done && isSpace(characters[first - 1])) first -= 1;
      while (token.rstrip && isSpace(characters[last])) last += 1;
      if (first > last)
        throw new Error("two added tokens take the same spaces of it, at which Hugging Face's library fails");
      if (done < first) parts.push(characters.slice(done, first).join(""));
      if (first < last) parts.push(token.id);
      // The search goes on behind the token itself: spaces that it took may be tokens all the same.
      done = last;
    }
    if (done < characters.length) parts.push(characters.slice(done).join(""));
    return parts;
  }

  #longestAt(
    characters: readonly string[],
    start: number,
  ): { readonly token: SoughtToken; readonly end: number } | undefined {
    let longest: { readonly token: SoughtToken; readonly end: number } | undefined;
    let end = start;
    for (let node = behind(this.#tree, characters[end]); node; node = behind(node, characters[end])) {
      end += 1;
      if (node.value) longest = { token: node.value, end };
    }
    return longest;
  }
}
