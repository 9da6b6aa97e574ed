import { UserError } from "../errors.ts";

/** One record of a file of rows, before it is known what its values mean. */
export interface RowRecord {
  /** The file and the record's line or number in it. */
  readonly where: string;
  /** All columns of the file, or keys of the object; `values` may have fewer. */
  readonly columns: readonly string[];
  readonly values: Readonly<Record<string, unknown>>;
  /** Of the file, up to the end of this record. */
  readonly share: number;
}

/** A hundred times what anyone scores; each row costs some hundred bytes beside its text. */
export const MAX_ROWS = 1_000_000;

export function tooManyRows(path: string): UserError {
  return new UserError(
    `${path}: expected at most ${MAX_ROWS.toLocaleString("en-US")} rows, found more; give a file of a part of them`,
  );
}
