import { printableLine } from "../files/printable.ts";

/** Cells as text, without layout. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
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
