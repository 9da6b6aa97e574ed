/** White space as Python's `str.strip` knows it: the four separators of ASCII are more than Unicode's property has. */
// oxlint-disable-next-line no-control-regex -- these four are what is looked for
const whiteSpace = /[\p{White_Space}\x1c-\x1f]/u;

/** A text without the white space around it; in one pass, which a pattern that looks for its end would not make. */
export function strip(text: string): string {
  return stripStart(stripEnd(text));
}

/** A text without the white space at its beginning. */
export function stripStart(text: string): string {
  let start = 0;
  while (start < text.length && whiteSpace.test(text.charAt(start))) start++;
  return text.slice(start);
}

/** A text without the white space at its end. */
export function stripEnd(text: string): string {
  let end = text.length;
  while (end > 0 && whiteSpace.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}
