/** Columns of a terminal that a text takes: two for each wide character, such as Chinese ones, none for a mark on another. */
import stringWidth from "string-width";

const ASCII = /^[\u0020-\u007E]*$/;
const graphemes = new Intl.Segmenter();

/** Columns of a text on one line that holds nothing which a terminal obeys. */
export function columnsOf(text: string): number {
  return ASCII.test(text) ? text.length : stringWidth(text);
}

/** The text with spaces behind it, or before it, up to so many columns. */
export function padded(text: string, columns: number, side: "left" | "right" = "left"): string {
  const spaces = " ".repeat(Math.max(0, columns - columnsOf(text)));
  return side === "left" ? text + spaces : spaces + text;
}

/** A text in so many columns at most: of one that is longer beginning and end, and `…` between them. */
export function shortened(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  const all = Array.from(graphemes.segment(text), ({ segment }) => segment);
  const beginning = taken(all, Math.ceil((columns - 1) / 2));
  const end = taken(all.toReversed(), Math.floor((columns - 1) / 2));
  return `${beginning.join("")}…${end.toReversed().join("")}`;
}

/** As many of the first characters as fit into so many columns. */
function taken(characters: readonly string[], columns: number): readonly string[] {
  let used = 0;
  const end = characters.findIndex((character) => (used += columnsOf(character)) > columns);
  return end === -1 ? characters : characters.slice(0, end);
}
