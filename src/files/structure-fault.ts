import { showUntrusted } from "./show-untrusted.ts";

/**
 * Finds what JSON.parse lets through but an untrusted header must not have: a key written twice in one object (the last
 * one would win silently), or more than `maxParts` keys, objects and arrays, which cost far more memory than their text.
 * It reads only the tokens; whether `text` is JSON is left to JSON.parse.
 */
export function findStructureFault(text: string, maxParts: number): string | undefined {
  const keysOfOpen: Set<string>[] = [];
  let parts = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "{" || character === "[") {
      keysOfOpen.push(new Set());
      parts++;
    } else if (character === "}" || character === "]") {
      keysOfOpen.pop();
    } else if (character === '"') {
      const start = i;
      i = endOfString(text, start);
      const keys = keysOfOpen.at(-1);
      if (!keys || !isFollowedByColon(text, i)) continue;
      const key = unescape(text.slice(start, i + 1));
      if (keys.has(key)) return `has the key ${showUntrusted(key)} twice`;
      keys.add(key);
      parts++;
    }
    if (parts > maxParts) return `has more than ${maxParts} keys, objects and arrays`;
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i;
}

function isFollowedByColon(text: string, end: number): boolean {
  let i = end + 1;
  while (text[i] === " " || text[i] === "\n" || text[i] === "\r" || text[i] === "\t") i++;
  return text[i] === ":";
}

/** "a" and "\u0061" are the same key. */
function unescape(quoted: string): string {
  return quoted.includes("\\") ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
}
