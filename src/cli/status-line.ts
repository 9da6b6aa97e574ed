import { columnsOf } from "../report/text/columns.ts";

/** What a last line tells beside a share, where there is room for it and where there is little. */
export interface StatusPart {
  readonly long: string;
  readonly short?: string;
}

/** What goes on, and how much of it is done, from 0 to 1, where that is known. */
export interface Status {
  readonly share?: number;
  /** The last ones stay longest where the line is narrow. */
  readonly parts: readonly StatusPart[];
}

const GAP = "  ";
const LEAST_BAR = 10;
const MOST_BAR = 30;
/** Columns of what stands behind the bar at most, but seldom: it is not to change its length by what is told. */
const USUAL_TEXT = 60;

/** A status on one line of at most `width` columns, with a bar before it where one is wanted and has room. */
export function statusLine({ share, parts }: Status, width: number, { hasBar = false } = {}): string {
  const percent = share === undefined ? [] : [`${Math.floor(100 * share)} %`.padStart("99 %".length)];
  const long = [...percent, ...parts.map((part) => part.long)].join(GAP);
  if (columnsOf(long) <= width) {
    const usual = Math.max(LEAST_BAR, width - USUAL_TEXT - GAP.length);
    const room = Math.min(MOST_BAR, usual, width - columnsOf(long) - GAP.length);
    return share === undefined || !hasBar || room < LEAST_BAR ? long : bar(share, room) + GAP + long;
  }
  const short = parts.map((part) => part.short ?? part.long);
  while (short.length > 1 && columnsOf([...percent, ...short].join(GAP)) > width) short.shift();
  return [...percent, ...short].join(GAP);
}

function bar(share: number, columns: number): string {
  const inner = columns - 2;
  return `[${"=".repeat(Math.floor(share * inner)).padEnd(inner)}]`;
}
