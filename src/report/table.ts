import { printableLine } from "../files/printable.ts";

/** Cells as text, without layout. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

interface TextLayout {
  /** Columns whose cells begin at one place, where others end at one; the first unless given. */
  readonly left?: readonly number[];
}

/** Columns padded to a common width, for a terminal. A last one that is aligned left has no rule but under its header: it may be long. */
export function alignedText(table: Table, { left = [0] }: TextLayout = {}): string {
  const header = table.header.map(printableLine);
  const rows = table.rows.map((row) => row.map(printableLine));
  const last = header.length - 1;
  const widths = header.map((cell, column) =>
    column > 0 && column === last && left.includes(column)
      ? cell.length
      : Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        left.includes(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** The table in Markdown. */
export function markdownTable({ header, rows }: Table): string {
  const rule = header.map((_, column) => (column === 0 ? "---" : "---:"));
  return [header, rule, ...rows].map((cells) => `| ${cells.map(markdownCell).join(" | ")} |`).join("\n");
}

/** A cell that ends neither itself nor its line, whatever it says. */
function markdownCell(text: string): string {
  return printableLine(text).replaceAll(/[\\|]/g, "\\$&");
}
