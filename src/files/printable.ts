/**
 * What a terminal does not show as itself, but obeys: control characters (C0, DEL, C1), marks that turn the direction of
 * the text around them, and U+2028 and U+2029, which some take for line ends; and lone surrogates, which are no text.
 */
const OBEYED = /[\p{Cc}\p{Cs}\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu;

/** Text of several lines that a terminal shows and obeys in nothing but line ends and tabs; the rest reads `\u001B`. */
export function printable(text: string): string {
  return text.replaceAll(OBEYED, (character) =>
    character === "\n" || character === "\t" ? character : escaped(character),
  );
}

/** As `printable`, for what must stay on its line or in its cell. */
export function printableLine(text: string): string {
  return text.replaceAll(OBEYED, escaped);
}

/** The value as JSON on one line, in which strings hold none of these characters: they are escaped as JSON has it. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(OBEYED, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}
