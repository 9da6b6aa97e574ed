/** Escapes of a Python string literal that stand for one fixed character. */
const escapes: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  "\\": "\\",
  "'": "'",
  '"': '"',
  "\n": "",
};

/**
 * Reads a Python list of string literals, such as `['a', "b's"]`, as tables saved by pandas hold them; undefined when
 * the text is anything else.
 */
export function parsePythonList(text: string): string[] | undefined {
  const item = /\s*(?:'((?:[^'\\\n]|\\[^])*)'|"((?:[^"\\\n]|\\[^])*)")\s*(?:,|(?=\]))/y;
  const inner = text.trim();
  if (!inner.startsWith("[")) return undefined;
  const items: string[] = [];
  item.lastIndex = 1;
  for (let end = 1; ; end = item.lastIndex) {
    const match = item.exec(inner);
    if (!match) return /^\s*\]$/.test(inner.slice(end)) ? items : undefined;
    items.push(unescape(match[1] ?? match[2] ?? ""));
  }
}

function unescape(literal: string): string {
  return literal.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U(00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})|([^]))/g,
    (all, x: string | undefined, u: string | undefined, wide: string | undefined, character: string | undefined) => {
      const code = x ?? u ?? wide;
      // Python keeps the backslash of an escape that it does not know.
      return code === undefined ? (escapes[character ?? ""] ?? all) : String.fromCodePoint(Number.parseInt(code, 16));
    },
  );
}
