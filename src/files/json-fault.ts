/** Deeper than anything that people or libraries write; what walks a value step by step stays far from the end of its stack. */
const MAX_DEPTH = 100;

/** Each costs up to 60 bytes of memory for two or three of text. */
const MAX_VALUES = 10_000_000;

/** Why a text is too much to parse, be it JSON or not; undefined where nothing speaks against it. */
export function findExcess(text: string): string | undefined {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '"':
        at = endOfString(text, at);
        break;
      case "{":
      case "[":
        values++;
        if (++depth > MAX_DEPTH) return `nested more than ${MAX_DEPTH} deep`;
        break;
      case "}":
      case "]":
        depth--;
        break;
      case ",":
        values++;
        break;
      default:
    }
    if (values > MAX_VALUES) return `more than ${MAX_VALUES} values`;
  }
  return undefined;
}

/** Offset of the quote that ends the string which begins at `start`; the text's length where none does. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

const space = /[ \t\n\r]*/y;
const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

type ExpectedToken = "value" | "value or ]" | "key" | "key or }" | ":" | ", or end";

/** Offset of the first character at which a text stops being JSON: its length where it ends too early. */
export function findJsonFault(text: string): number {
  const closing: ("}" | "]")[] = [];
  let expected = "value" as ExpectedToken;
  for (let at = skip(space, text, 0) ?? 0; ; at = skip(space, text, at) ?? at) {
    const character = text[at];
    if (expected === ", or end" && closing.length === 0) return at;
    if (character === undefined) return at;
    if (
      expected === ", or end" ||
      (character === "}" && expected === "key or }") ||
      (character === "]" && expected === "value or ]")
    ) {
      if (character === closing.at(-1)) {
        closing.pop();
        expected = ", or end";
      } else if (character === "," && expected === ", or end") expected = closing.at(-1) === "}" ? "key" : "value";
      else return at;
      at++;
    } else if (expected === ":") {
      if (character !== ":") return at;
      expected = "value";
      at++;
    } else if (character === '"') {
      const { end, isSound } = scanString(text, at);
      if (!isSound) return end;
      at = end;
      expected = expected === "key" || expected === "key or }" ? ":" : ", or end";
    } else if (expected === "key" || expected === "key or }") {
      return at;
    } else if (character === "{" || character === "[") {
      closing.push(character === "{" ? "}" : "]");
      expected = character === "{" ? "key or }" : "value or ]";
      at++;
    } else {
      const end = skip(scalar, text, at);
      if (end === undefined) return at;
      at = end;
      expected = ", or end";
    }
  }
}

function scanString(text: string, start: number): { end: number; isSound: boolean } {
  for (let at = start + 1; ;) {
    const character = text[at];
    if (character === undefined || character < " ") return { end: at, isSound: false };
    if (character === '"') return { end: at + 1, isSound: true };
    const end = character === "\\" ? skip(escape, text, at) : at + 1;
    if (end === undefined) return { end: at, isSound: false };
    at = end;
  }
}

/** Where the match of a sticky pattern at an offset ends. */
function skip(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
