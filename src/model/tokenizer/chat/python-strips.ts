/** Python's `strip`, `lstrip`, `rstrip` and Jinja's `trim`: of Python's white space, or of other characters. */
import { strip, stripEnd, stripStart } from "../../../files/white-space.ts";

/** What is done at which ends of a text. */
const ends = {
  strip: { whole: strip, atStart: true, atEnd: true },
  lstrip: { whole: stripStart, atStart: true, atEnd: false },
  rstrip: { whole: stripEnd, atStart: false, atEnd: true },
} as const;

export type Strip = keyof typeof ends;

export const strips: readonly Strip[] = Object.keys(ends) as Strip[];

/** `characters` may be none, which stands for white space. */
export function pythonStrip(name: Strip, text: string, characters: unknown): string {
  const { whole, atStart, atEnd } = ends[name];
  if (characters === undefined || characters === null) return whole(text);
  if (typeof characters !== "string") throw new Error(`${name}: expected characters`);
  const [set, kept] = [new Set(characters), Array.from(text)];
  const isKept = (character: string): boolean => !set.has(character);
  const first = atStart ? kept.findIndex(isKept) : 0;
  const last = atEnd ? kept.findLastIndex(isKept) : kept.length - 1;
  return first < 0 ? "" : kept.slice(first, last + 1).join("");
}
