import { printableLine } from "../../files/printable.ts";
import type { Table } from "../table.ts";
import { columnsOf, padded, shortened } from "./columns.ts";

export interface TableLayout {
  /** Columns of the terminal; any number unless given. */
  readonly width?: number;
  /** Columns whose cells begin at one place, where others end at one; the first unless given. */
  readonly left?: readonly number[];
  /** Columns that are left out where not all fit, in this order. */
  readonly spare?: readonly number[];
}

/** One column as it is laid out. */
interface Column {
  readonly cells: readonly string[];
  readonly width: number;
  readonly side: "left" | "right";
  /** Whether its cells may go on beyond the terminal: they are the last, and may be what a person copies. */
  readonly isOpen: boolean;
}

const GAP = "  ";
/** What is left of the names in the first column, however wide another is. */
const LEAST_NAME = 8;

/**
 * A table in columns of a common width, no wider than the terminal: columns that can be spared are left out, and the others stand
 * in several tables below each other if they must, each of which begins with the first column. A last column that is aligned left may be wider.
 */
export function alignedText(
  { header, rows }: Table,
  { width = Infinity, left = [0], spare = [] }: TableLayout = {},
): string {
  const all = header.map((_, column) => laidOut([header, ...rows], column, left));
  const [first, ...others] = withoutSpare(all, spare, width);
  if (!first) return "";
  const widest = Math.max(0, ...others.filter(({ isOpen }) => !isOpen).map((column) => column.width));
  const names = narrowed(first, Math.max(LEAST_NAME, width - GAP.length - widest));
  const room = width - names.width;
  const blocks: Column[][] = [[]];
  for (const column of others.map((own) => narrowed(own, room - GAP.length))) {
    const block = blocks.at(-1) ?? [];
    if (block.length > 0 && totalOf([...block, column]) > room) blocks.push([column]);
    else block.push(column);
  }
  return blocks.map((block) => blockText([names, ...block])).join("\n\n");
}

function laidOut(rows: readonly (readonly string[])[], column: number, left: readonly number[]): Column {
  const cells = rows.map((row) => printableLine(row[column] ?? ""));
  const side = left.includes(column) ? "left" : "right";
  const isOpen = column > 0 && column === (rows[0]?.length ?? 0) - 1 && side === "left";
  return { cells, width: Math.max(...cells.map(columnsOf)), side, isOpen };
}

/** All columns, or without as many of those that can be spared as it takes. An open one may take half of a line. */
function withoutSpare(columns: readonly Column[], spare: readonly number[], width: number): readonly Column[] {
  const kept = new Set(columns.keys());
  const own = (): Column[] => columns.filter((_, i) => kept.has(i));
  const needed = (): number =>
    totalOf(own().map((column) => ({ width: column.isOpen ? Math.min(column.width, width / 2) : column.width }))) -
    GAP.length;
  for (const column of spare) if (needed() > width) kept.delete(column);
  return own();
}

function narrowed(column: Column, most: number): Column {
  if (column.isOpen || column.width <= most) return column;
  const cells = column.cells.map((cell) => shortened(cell, most));
  return { ...column, cells, width: Math.max(...cells.map(columnsOf)) };
}

/** Of columns with a gap before each. An open one is as wide as its header. */
function totalOf(columns: readonly (Pick<Column, "width"> & Partial<Column>)[]): number {
  return columns.reduce(
    (sum, { width, isOpen, cells = [] }) => sum + GAP.length + (isOpen ? columnsOf(cells[0] ?? "") : width),
    0,
  );
}

function blockText(columns: readonly Column[]): string {
  const [names] = columns;
  const lines = (names?.cells ?? []).map((_, i) =>
    lineOf(columns.map(({ cells, width, side }) => padded(cells[i] ?? "", width, side))),
  );
  const rule = lineOf(
    columns.map(({ cells, width, isOpen }) => "-".repeat(isOpen ? columnsOf(cells[0] ?? "") : width)),
  );
  return [...lines.slice(0, 1), rule, ...lines.slice(1)].join("\n");
}

function lineOf(cells: readonly string[]): string {
  return cells.join(GAP).trimEnd();
}
