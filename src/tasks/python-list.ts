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
  const list = text.trim();
  if (!list.startsWith("[")) return undefined;
  const items: string[] = [];
  let at = skipSpace(list, 1);
  while (list[at] !== "]") {
    const end = endOfLiteral(list, at);
    if (end === undefined) return undefined;
    items.push(unescape(list.slice(at + 1, end)));
    at = skipSpace(list, end + 1);
    if (list[at] === ",") at = skipSpace(list, at + 1);
    else if (list[at] !== "]") return undefined;
  }
  return at === list.length - 1 ? items : undefined;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (/\s/.test(text.charAt(at))) at++;
  return at;
}

/** Offset of the quote that ends the literal which begins at `start`; undefined where none begins or ends. */
function endOfLiteral(text: string, start: number): number | undefined {
  const quote = text[start];
  if (quote !== "'" && quote !== '"') return undefined;
  // Character by character: a pattern would keep a way back for each, and run out of memory for a long answer.
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === quote) return at;
    if (text[at] === "\n") return undefined;
    if (text[at] === "\\") at++;
  }
  return undefined;
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
