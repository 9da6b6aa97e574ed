import type { z } from "zod";
import { UserError } from "../errors.ts";
import { showUntrusted } from "../files/show-untrusted.ts";
import { sha256Of } from "../files/sha256.ts";
import type { ChoiceLossName, RowScoring } from "./row-loss.ts";
import { readTaskRecords } from "./read-records.ts";
import { groupedRow, rowColumns, rowFormats, type ParsedRow, type RowFormat, type RowOptions } from "./row-formats.ts";
import { MAX_ROWS, type RowRecord, tooManyRows } from "./row-record.ts";

/** One scored question: which of the continuations follows the context, or how likely is the only one. */
export interface TaskRow {
  /** Short hash of what the row says; rows that say the same have the same id. */
  readonly id: string;
  readonly kind: "choice" | "text";
  readonly context: string;
  /** What the context begins with that is about the task and not the row: lm_eval's `description`. */
  readonly description?: string;
  /** Each begins with what divides it from the context. */
  readonly continuations: readonly string[];
  /** What that is; a space unless given. */
  readonly delimiter?: string;
  /** Index of the right continuation. */
  readonly label: number;
  /** Hash of the passage that the text shows, white space aside. */
  readonly passage: string;
  /** Hash of the row's `group`, whatever its passage, or else the passage; what rows of one group show, they show once. */
  readonly group: string;
  /** Of a choice, by which its answers are judged; the default one unless given. */
  readonly loss?: ChoiceLossName;
  /** In the place of that. */
  readonly scoring?: RowScoring;
}

export interface ReadRowsOptions extends RowOptions {
  /** @internal In the place of the known ones. */
  readonly rowFormat?: RowFormat | undefined;
  /** Told how much of which file is read. */
  readonly onShare?: ((file: string, share: number) => void) | undefined;
  /** Told of each row what its file has of it. */
  readonly onRecord?: ((values: RowRecord["values"]) => void) | undefined;
}

/** Rows after which it is told how much is read. */
const TOLD_ROWS = 64;

/**
 * Reads files of rows, all of one format: choice (`input`, `target`, `answer_choices`, `label`), text (`input`, `target`)
 * or MMLU (`question`, `subject`, `choices`, `answer`); any row may name its `group`. The extension of each says whether it is CSV, parquet or JSON
 * lines. A row may occur twice. The first fault is thrown as a UserError that names the file and the line or row; an
 * abort of the signal rejects with its reason.
 */
export async function readRows(
  paths: string | readonly string[],
  options: ReadRowsOptions = {},
  signal?: AbortSignal,
): Promise<TaskRow[]> {
  const files = typeof paths === "string" ? [paths] : paths;
  const { rowFormat } = options;
  const formats = rowFormat ? [rowFormat] : rowFormats(options);
  const rows: TaskRow[] = [];
  let format: RowFormat | undefined;
  for (const file of files) {
    for await (const record of await readTaskRecords(file, rowFormat?.columns ?? rowColumns, signal)) {
      if (rows.length === MAX_ROWS) throw tooManyRows(nameFiles(files));
      const own = formatOf(record, formats);
      format ??= own;
      if (own !== format)
        throw new UserError(`${record.where}: expected ${format.name} rows as above, found one of ${own.name}`);
      if (rows.length % TOLD_ROWS === 0) options.onShare?.(file, record.share);
      rows.push(taskRow(parseRow(record, own.schema), parseRow(record, groupedRow).group ?? ""));
      options.onRecord?.(record.values);
    }
    options.onShare?.(file, 1);
  }
  if (!format)
    throw new UserError(
      `${nameFiles(files)}: expected rows, found none; give JSON lines, CSV with a header, or parquet`,
    );
  if (options.format !== undefined && format.name !== "MMLU") {
    throw new UserError(
      `${nameFiles(files)}: the format ${options.format} needs MMLU rows, found ${format.name} rows; leave the format out`,
    );
  }
  return rows;
}

/** Files as errors name them. */
export function nameFiles([first = "", ...others]: readonly string[]): string {
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}

/** A row as errors name it: by the end of its context, where the question is. */
export function quoteRow({ context }: Pick<TaskRow, "context">): string {
  return `row ${JSON.stringify(context.slice(-60))}`;
}

/** Hash of what the rows say, of their groups and of their order. */
export function rowsDigest(rows: readonly TaskRow[]): string {
  return sha256Of(rows.map(({ id, group }) => `${id} ${group}`).join("\n"));
}

function formatOf({ where, columns, values }: RowRecord, formats: readonly RowFormat[]): RowFormat {
  const has = (key: string): boolean => (values[key] ?? undefined) !== undefined;
  const format = formats.find(({ keys }) => keys.every(has));
  if (format) return format;
  const found = listed(columns);
  const unlabelled = formats.find(({ keys, rightAnswer }) => keys.every((key) => key === rightAnswer || has(key)));
  if (unlabelled) {
    throw new UserError(
      `${where}: found no labels: expected the right answer as ${unlabelled.rightAnswer}, found only ${found}; rows without labels cannot be scored`,
    );
  }
  const known = formats.map(({ name, keys }) => `${keys.join(", ")} (${name})`).join("; or ");
  throw new UserError(`${where}: expected the keys ${known}; found ${found || "none"}`);
}

const MOST_NAMES = 20;

/** Names of columns, or keys of a stranger's object, as errors show them. */
function listed(names: readonly string[]): string {
  const shown = names
    .slice(0, MOST_NAMES)
    .map((name) => (/^\w{1,40}$/.test(name) ? name : showUntrusted(name.slice(0, 40))));
  return shown.join(", ") + (names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "");
}

function parseRow<T>({ where, values }: RowRecord, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError([where, ...(issue?.path.length ? [issue.path.join(".")] : []), issue?.message].join(": "));
}

function taskRow(parsed: ParsedRow, inFile: string | number): TaskRow {
  const { kind, context, description, answers, label, passage, group: named = inFile, data, scoring } = parsed;
  const continuations = answers.map((answer) => ` ${answer}`);
  const said = [kind, context, continuations, label, ...(data === undefined ? [] : [data])];
  const id = sha256Of(JSON.stringify(said)).slice(0, 16);
  const about = passageHash(passage);
  // A name that is a passage as well is none of its rows' business; an empty cell names no group.
  const group = String(named).trim() === "" ? about : sha256Of(JSON.stringify(["group", String(named)])).slice(0, 16);
  return {
    id,
    kind,
    context,
    ...(description !== undefined && { description }),
    continuations,
    label,
    passage: about,
    group,
    ...(scoring && { scoring }),
  };
}

/** What rows about one passage have in common. */
export function passageHash(passage: string): string {
  return sha256Of(passage.replaceAll(/\s+/g, " ").trim()).slice(0, 16);
}
