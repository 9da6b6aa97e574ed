import { printableLine } from "../../files/printable.ts";

/** Of a name in a plot; the experiments that we ship have names of a third of that. */
const NAME = 40;

/** Beginning and end of a text that is longer than `most` characters, and how much of it is between them. */
export function excerptOf(text: string, most: number): string {
  if (text.length <= most) return text;
  const half = Math.floor(most / 2);
  // Half of a pair of surrogates is no text.
  const beginning = text.slice(0, half).replace(/[\uD800-\uDBFF]$/, "");
  const end = text.slice(-half).replace(/^[\uDC00-\uDFFF]/, "");
  const left = (text.length - 2 * half).toLocaleString("en-US");
  return `${beginning} … (${left} of ${text.length.toLocaleString("en-US")} characters left out) … ${end}`;
}

/** Names as a plot or a cell shows them: on one line, not too long, and no two alike. */
export class ShortNames {
  readonly #shown = new Map<string, string>();
  readonly #taken = new Set<string>();

  of(name: string): string {
    const known = this.#shown.get(name);
    if (known !== undefined) return known;
    const line = printableLine(name);
    const short = line.length <= NAME ? line : `${line.slice(0, NAME - 1)}…`;
    let shown = short;
    for (let number = 2; this.#taken.has(shown); number += 1) shown = `${short} (${number})`;
    this.#taken.add(shown);
    this.#shown.set(name, shown);
    return shown;
  }
}
