/** Texts by their characters: all that begin at a place in a text are found in one walk. */
export interface PrefixTree<T> {
  readonly next: Map<string, PrefixTree<T>>;
  /** Of the text that ends here, if one does. */
  value?: T;
}

/** The last of the values that a text is given counts. */
export function prefixTree<T>(entries: Iterable<readonly [text: string, value: T]>): PrefixTree<T> {
  const root: PrefixTree<T> = { next: new Map() };
  for (const [text, value] of entries) {
    let node = root;
    for (const character of text) {
      let next = node.next.get(character);
      if (!next) node.next.set(character, (next = { next: new Map() }));
      node = next;
    }
    node.value = value;
  }
  return root;
}

/** What follows behind a character. */
export function behind<T>(node: PrefixTree<T>, character: string | undefined): PrefixTree<T> | undefined {
  return character === undefined ? undefined : node.next.get(character);
}
