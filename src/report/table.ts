import { printableLine } from "../files/printable.ts";

/** Cells as text, without layout. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Columns padded to a common width, for a terminal. */
export function alignedText(table: Table): string {
  const header = table.header.map(printableLine);
  const rows = table.rows.map((row) => row.map(printableLine));
  const widths = header.map((cell, column) => Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
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
