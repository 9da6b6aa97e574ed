import { columnsOf } from "./columns.ts";

export interface WrapLayout {
  /** Stands before the first line. */
  readonly label?: string;
  /** Empty columns before each other line; those of the label unless given, up to a third of the line. */
  readonly indent?: number;
}

/**
 * A sentence as lines of at most `width` columns, broken between words. A word that is longer, such as a path, has a line of its
 * own, which a terminal breaks and a person can copy.
 */
export function wrapped(text: string, width: number, { label = "", indent }: WrapLayout = {}): string[] {
  if (columnsOf(label) + columnsOf(text) <= width) return [label + text];
  const margin = " ".repeat(indent ?? Math.min(columnsOf(label), Math.floor(width / 3)));
  const lines: string[] = [];
  let line = label;
  /** Between the line and its next word: nothing where it has none. */
  let gap = "";
  // A number keeps its sign.
  for (const word of text.split(/ (?!%)/)) {
    if (columnsOf(line + gap + word) > width && line.trim() !== "") {
      lines.push(line.trimEnd());
      [line, gap] = [margin, ""];
    }
    line += gap + word;
    gap = " ";
  }
  return [...lines, line];
}

/** A sentence and a command behind it: on a line of its own, and never broken, where both do not fit on one. */
export function withCommand(sentence: string, command: string | undefined, width: number): string[] {
  if (command === undefined) return wrapped(sentence, width, { indent: 2 });
  const line = `${sentence} ${command}`;
  return columnsOf(line) <= width ? [line] : [...wrapped(sentence, width, { indent: 2 }), `  ${command}`];
}
