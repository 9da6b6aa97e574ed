import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { UserError } from "../errors.ts";
import { rowFormats, type ParsedRow, type RowFormat, type RowOptions } from "./row-formats.ts";

/** One scored question: which of the continuations follows the context, or how likely is the only one. */
export interface TaskRow {
  /** Short hash of everything below except the group; rows that say the same have the same id. */
  readonly id: string;
  readonly kind: "choice" | "text";
  readonly context: string;
  /** Each begins with the space that divides it from the context. */
  readonly continuations: readonly string[];
  /** Index of the right continuation. */
  readonly label: number;
  /** Hash of the passage; rows about the same passage share it. */
  readonly group: string;
}

/**
 * Reads a file of JSON lines, all of one format: choice (`input`, `target`, `answer_choices`, `label`), text (`input`,
 * `target`) or MMLU (`question`, `subject`, `choices`, `answer`). A row may occur twice. The first fault is thrown as a
 * UserError that names file and line.
 */
export async function readRows(path: string, options: RowOptions = {}): Promise<TaskRow[]> {
  const lines = (await readText(path)).split("\n");
  const formats = rowFormats(options);
  const rows: TaskRow[] = [];
  let format: RowFormat | undefined;
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const where = `${path}:${index + 1}`;
    const value = parseLine(line, where);
    const own = formatOf(value, formats, where);
    format ??= own;
    if (own !== format)
      throw new UserError(`${where}: expected ${format.name} rows as above, found one of ${own.name}`);
    rows.push(taskRow(parseRow(value, own, where)));
  }
  if (!format) throw new UserError(`${path}: expected one JSON object a line, found no rows`);
  if (options.format !== undefined && format.name !== "MMLU") {
    throw new UserError(
      `${path}: the format ${options.format} needs MMLU rows, found ${format.name} rows; leave the format out`,
    );
  }
  return rows;
}

/** A row as errors name it: by the end of its context, where the question is. */
export function quoteRow({ context }: TaskRow): string {
  return `row ${JSON.stringify(context.slice(-60))}`;
}

/** Hash of the rows' contents and their order. */
export function rowsDigest(rows: readonly TaskRow[]): string {
  return sha256(rows.map(({ id }) => id).join("\n"));
}

async function readText(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).replace(/^\uFEFF/, "");
  } catch (error) {
    throw new UserError(`${path}: cannot read the rows: ${(error as Error).message}`, { cause: error });
  }
}

function parseLine(line: string, where: string): object {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new UserError(`${where}: expected a JSON object on one line: ${(error as Error).message}`, { cause: error });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new UserError(`${where}: expected a JSON object, found ${line.slice(0, 40)}`);
}

function formatOf(value: object, formats: readonly RowFormat[], where: string): RowFormat {
  const format = formats.find(({ keys }) => keys.every((key) => key in value));
  if (format) return format;
  const known = formats.map(({ name, keys }) => `${keys.join(", ")} (${name})`).join("; or ");
  throw new UserError(`${where}: expected the keys ${known}; found ${Object.keys(value).join(", ") || "none"}`);
}

function parseRow(value: object, format: RowFormat, where: string): ParsedRow {
  const parsed = format.schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError(`${where}: ${issue?.path.join(".")}: ${issue?.message}`);
}

function taskRow({ kind, context, answers, label, passage }: ParsedRow): TaskRow {
  const continuations = answers.map((answer) => ` ${answer}`);
  const id = sha256(JSON.stringify([kind, context, continuations, label])).slice(0, 16);
  return { id, kind, context, continuations, label, group: sha256(passage).slice(0, 16) };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
