import { printableLine } from "./printable.ts";

/**
 * A text as one word of a POSIX shell's command line: as it is where all its characters are plain, else in quotes. What a
 * terminal would not show is printed by the shell; it then drops line ends at the end of the text.
 */
export function shellWord(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return printableLine(text) === text ? `'${text.replaceAll("'", `'\\''`)}'` : `"$(printf '${octal(text)}')"`;
}

/** A path as such a word, which no command takes for an option and no shell shortens. */
export function shellPath(path: string): string {
  return shellWord(`${path.startsWith("-") ? "./" : ""}${path}${path.endsWith("\n") ? "/" : ""}`);
}

/** What `printf` gives the text back from: letters, digits and slashes as they are, any other byte by its number. */
function octal(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}./]/gu, (character) =>
    Array.from(Buffer.from(character), (byte) => `\\${byte.toString(8).padStart(3, "0")}`).join(""),
  );
}
